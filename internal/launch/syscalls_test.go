package launch

import "testing"

// What a filter refuses that a program cannot do without before its first line, and what a
// wrapper may need.
func TestLacks(t *testing.T) {
	for _, tt := range []struct {
		service               string
		dynamic, golang, both string
		nice, gosu            string
	}{
		{"SystemCallFilter=@system-service", "", "", "", "", ""},
		{"SystemCallFilter=@network-io @basic-io", "openat", "openat", "openat", "chdir", "chdir"},
		{"SystemCallFilter=@network-io @basic-io\nSystemCallErrorNumber=EPERM", "openat", "rt_sigaction", "openat", "chdir", "chdir"},
		{"SystemCallFilter=~@privileged", "", "", "", "", "setgroups"},
		{"SystemCallFilter=~openat:ENOENT", "openat", "", "openat", "", ""},
		{"", "", "", "", "", ""},
	} {
		u := read(t, tt.service)
		nice, gosu := Wrap{}, Wrap{Account: Account{User: "app", SetsGroups: true}}
		if got := [5]string{u.Ends(true, false), u.Ends(false, true), u.Ends(true, true), u.LacksFor(nice), u.LacksFor(gosu)}; got != [5]string{tt.dynamic, tt.golang, tt.both, tt.nice, tt.gosu} {
			t.Errorf("%s: %q", tt.service, got)
		}
		if got := u.Ends(false, false); got != "" {
			t.Errorf("%s: a static program that is not of Go ends at %s", tt.service, got)
		}
	}
}
