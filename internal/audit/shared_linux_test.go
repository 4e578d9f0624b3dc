package audit

import (
	"slices"
	"testing"
)

func TestRegions(t *testing.T) {
	maps := "7f0-7f1 rw-s 00000000 00:1f 7  /etc/passwd\n0007f1-0007f2 r--s 00000000 00:1f 8  /etc/group\n7f2-7f3 rw-p 0 00:1f 8 /etc/shadow\n"
	want := []region{{mapping{"7f0-7f1", "7", "/etc/passwd"}, true}, {mapping{"7f1-7f2", "8", "/etc/group"}, false}}
	if got := regions([]byte(maps)); !slices.Equal(got, want) {
		t.Errorf("%+v", got)
	}
	smaps := []byte("7f0-7f1 rw-s 0 00:1f 7 /a\nSize: 4 kB\nVmFlags: rd sh mr \n7f1-7f2 r--s 0 00:1f 8 /b\nVmFlags: rd sh mr mw me \n")
	for of, want := range map[string]bool{"7f0-7f1": false, "7f1-7f2": true, "7f2-7f3": true} {
		if got := mayWrite(smaps, of); got != want {
			t.Errorf("%s: %v", of, got)
		}
	}
}
