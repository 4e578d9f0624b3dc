package live

import "testing"

// A program that is there is found where sudo(8) would find it, and one that is not is no error.
func TestFind(t *testing.T) {
	for name, want := range map[string]bool{"sh": true, "lowport-no-such-program": false} {
		path, info, err := find(name)
		if err != nil || (info != nil) != want || (path != "") != want {
			t.Errorf("%s: %q, %v, %v", name, path, info, err)
		}
	}
}
