package launch

import "testing"

// Versions of systemd differ in what a list behind one of everything leaves.
func TestBoundingBehindAll(t *testing.T) {
	for version, doubts := range map[int]int{252: 0, 257: 0, 262: 1} {
		u := read(t, "CapabilityBoundingSet=~\nCapabilityBoundingSet=CAP_CHOWN")
		u.Build.Version = version
		u.bounding()
		if len(u.doubts) != doubts {
			t.Errorf("%d: %q", version, u.doubts)
		}
		u = read(t, "CapabilityBoundingSet=~")
		u.Build.Version = version
		if b := u.bounding(); b != full || len(u.doubts) != 0 {
			t.Errorf("%d, nothing behind it: %v, %q", version, b, u.doubts)
		}
	}
}
