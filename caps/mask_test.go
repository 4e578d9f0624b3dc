package caps

import (
	"strings"
	"testing"
)

func TestMask(t *testing.T) {
	for text, want := range map[string]Set{
		"0": 0, "400": 1 << 10, "0x400": 1 << 10, "0X400": 1 << 10, "000001FFFFFFFFFF": UpTo(Last), "ffffffffffffffff": ^Set(0),
		"0x0000000000000400=cap_net_bind_service": 1 << 10, "0x0000000000000000=": 0, "0x8000000000000001=cap_chown,63": 1<<63 | 1,
	} {
		if got, err := ParseMask(text); err != nil || got != want {
			t.Errorf("ParseMask(%q) = %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "0x", "=", "g", "10000000000000000", "0x400=", "0x400=cap_chown", "400 ", "-1", "0x400=nonsense", strings.Repeat("0", 1<<20)} {
		if got, err := ParseMask(text); err == nil || len(err.Error()) > 300 {
			t.Errorf("ParseMask(%.20q) = %v, %v", text, got, err)
		}
	}
	if got := Set(1<<63 | 1<<10).Decode(); got != "0x8000000000000400=cap_net_bind_service,63" {
		t.Error(got)
	}
}
