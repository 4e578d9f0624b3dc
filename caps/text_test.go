package caps

import (
	"errors"
	"strings"
	"testing"
)

// What cap_from_text(3) and cap_to_text(3) of libcap 2.66 make of a text.
var textTable = map[string]string{
	"":                               "=",
	"=":                              "=",
	"=ep":                            "=ep",
	"all=ep":                         "=ep",
	"ALL=p":                          "=p",
	"cap_chown=p cap_setuid=p":       "cap_chown,cap_setuid=p",
	"cap_chown=p cap_setuid=i":       "cap_setuid=i cap_chown+p",
	"cap_chown=ip-p":                 "cap_chown=i",
	"cap_chown+p":                    "cap_chown=p",
	"Cap_Chown=p":                    "cap_chown=p",
	"0=p":                            "cap_chown=p",
	"0x0a=p":                         "cap_net_bind_service=p",
	"0X0a=p":                         "cap_net_bind_service=p",
	"010=p":                          "cap_setpcap=p",
	"41=p":                           "= 41+p",
	"all,cap_chown=p":                "=p",
	"=p cap_chown-p":                 "=p cap_chown-p",
	"cap_chown=+p":                   "cap_chown=p",
	"cap_chown=-p":                   "=",
	"cap_chown=":                     "=",
	"cap_chown=pp":                   "cap_chown=p",
	"cap_chown+p-p":                  "=",
	"cap_chown+p+e":                  "cap_chown=ep",
	"  cap_chown=p  ":                "cap_chown=p",
	"cap_chown=p\tcap_kill=e":        "cap_chown=p cap_kill+e",
	"all=eip cap_chown-e":            "=eip cap_chown-e",
	"all=eip 41,42-e":                "=eip",
	"41=p 50=e":                      "= 41+p 50+e",
	"cap_chown=p 41=p":               "cap_chown=p 41+p",
	"all-p":                          "=",
	"all+p":                          "=p",
	"cap_chown+p cap_kill=":          "cap_chown=p",
	"cap_chown=p cap_chown=e":        "cap_chown=e",
	"=eip cap_chown=e cap_kill-eip":  "=eip cap_chown-ip cap_kill-eip",
	"=ep cap_sys_resource-ep 41+eip": "=ep cap_sys_resource-ep 41+eip",
}

func TestText(t *testing.T) {
	for text, want := range textTable {
		s, err := ParseText(text)
		if got := FormatText(s); err != nil || got != want {
			t.Errorf("%q: %q, %v, want %q", text, got, err, want)
		}
	}
	for text, offset := range map[string]int{
		"chown=p": 0, "64=p": 0, "=+p": 1, "=-p": 1, "=+": 1, "cap_chown": 9, "cap_chown+": 10, "cap_chown=p+": 12,
		"cap_chown=p=e": 11, "cap_chown+p=e": 11, "cap_chown = p": 9, "cap_chown=p,": 11, "cap_chown,=p": 10, ",cap_chown=p": 0,
		"cap_chown=Ep": 10, "_cap_chown=p": 0, "cap_chown;=p": 9, "+p": 0, "-p": 0, "cap_chown+ p": 10, "cap_chown=\vp": 11,
		"0x=p": 1, "08=p": 1, "cap_chown0=p": 9, "0cap_chown=p": 1, "4294967296=p": 0, "18446744073709551616=p": 0, "1e=p": 1,
		"cap_last_cap=p": 0, "cap_chown\x00=p": 9, "\xff=p": 0, "cap_chown=p\x00": 11,
	} {
		s, err := ParseText(text)
		if e := (*ParseError)(nil); !errors.As(err, &e) || s != (State{}) {
			t.Errorf("%q: %+v, %v", text, s, err)
		} else if e.Offset != offset {
			t.Errorf("%q: offset %d, want %d: %v", text, e.Offset, offset, err)
		}
	}
	const huge = 1 << 20
	for _, text := range []string{strings.Repeat("9", huge), strings.Repeat("cap_", huge), strings.Repeat("cap_chown,", huge)} {
		if _, err := ParseText(text); err == nil || len(err.Error()) > 400 {
			t.Errorf("%.20q…: %.400v", text, err)
		}
	}
}

func TestTextAllocates(t *testing.T) {
	const text = "cap_net_bind_service,cap_net_raw=ep cap_sys_admin+i"
	var s State
	buf := make([]byte, 0, 200)
	if n := testing.AllocsPerRun(100, func() { s, _ = ParseText(text); buf = AppendText(buf[:0], s) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
	// Highest flags first, as cap_to_text(3) does.
	if want := "cap_sys_admin=i cap_net_bind_service,cap_net_raw+ep"; string(buf) != want {
		t.Errorf("%s, want %s", buf, want)
	}
}

func FuzzText(f *testing.F) {
	for text := range textTable {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := ParseText(text)
		if err != nil {
			_ = err.Error()
			return
		}
		if again, err := ParseText(FormatText(s)); err != nil || again != s {
			t.Errorf("%q: %+v, %v, want %+v", FormatText(s), again, err, s)
		}
	})
}

// FuzzFormatText starts from the sets: whatever they are, the text says it all.
func FuzzFormatText(f *testing.F) {
	f.Add(uint64(1<<10), uint64(1<<10), uint64(0))
	f.Add(^uint64(0), ^uint64(0), uint64(1<<63))
	f.Fuzz(func(t *testing.T, e, p, i uint64) {
		s := State{Effective: Set(e), Permitted: Set(p), Inheritable: Set(i)}
		if again, err := ParseText(FormatText(s)); err != nil || again != s {
			t.Errorf("%q: %+v, %v, want %+v", FormatText(s), again, err, s)
		}
	})
}
