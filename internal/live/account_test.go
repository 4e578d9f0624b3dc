package live

import "testing"

// Root is everywhere; a number needs no account; a name does.
func TestLookAccount(t *testing.T) {
	for _, tt := range []struct {
		name, group string
		uid, gid    uint32
		fails       bool
	}{
		{"", "", 0, 0, false},
		{"0", "", 0, 0, false},
		{"4242424", "", 4242424, 4242424, false},
		{"4242424", "77", 4242424, 77, false},
		{"no such user", "", 0, 0, true},
		{"", "no such group", 0, 0, true},
	} {
		a, err := LookAccount(tt.name, tt.group)
		if (err != nil) != tt.fails || !tt.fails && (a.UID != tt.uid || a.GID != tt.gid) {
			t.Errorf("%q, %q: %+v, %v", tt.name, tt.group, a, err)
		}
	}
}
