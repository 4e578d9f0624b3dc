package facts

import "testing"

// Who may pass, by the modes alone.
func TestPassable(t *testing.T) {
	for _, tt := range []struct {
		mode   uint32
		uid    uint32
		groups []uint32
		want   bool
	}{
		{0o755, 7, nil, true}, {0o750, 7, nil, false}, {0o750, 7, []uint32{5}, true}, {0o700, 4, nil, true},
		{0o055, 4, []uint32{5}, false}, {0o705, 7, []uint32{5}, false}, {0o700, 0, nil, true},
	} {
		s := Stat{Mode: 0o40000 | tt.mode, UID: 4, GID: 5}
		if got := s.Passable(tt.uid, tt.groups); got != tt.want {
			t.Errorf("%o for uid %d of %v: %v", tt.mode, tt.uid, tt.groups, got)
		}
	}
}
