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

// Modes as stat(2) gives them. Execve takes the group of a setgid file only if the group may
// execute it (bprm_fill_uid); setgid without that is an old mark of mandatory locking.
func TestModes(t *testing.T) {
	for _, tt := range []struct {
		name                       string
		mode                       uint32
		executable, setuid, setgid bool
	}{
		{"a program", 0o100755, true, false, false},
		{"one for its group alone", 0o100010, true, false, false},
		{"data", 0o100644, false, false, false},
		{"a folder", 0o40755, false, false, false},
		{"setuid", 0o104755, true, true, false},
		{"setgid", 0o102755, true, false, true},
		{"setgid that the group may not execute", 0o102745, true, false, false},
		{"a group that may execute", 0o100711, true, false, false},
	} {
		s := Stat{Mode: tt.mode}
		if s.Executable() != tt.executable || s.Setuid() != tt.setuid || s.Setgid() != tt.setgid || s.Setid() != (tt.setuid || tt.setgid) {
			t.Errorf("%s, %o: executable %v, setuid %v, setgid %v, either %v", tt.name, tt.mode, s.Executable(), s.Setuid(), s.Setgid(), s.Setid())
		}
	}
}
