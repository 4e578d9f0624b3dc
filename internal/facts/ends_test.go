package facts

import "testing"

// The masks are those of /proc/PID/status as Linux 6.18 prints them.
func TestParseEnds(t *testing.T) {
	const python, ignores, catches = "SigIgn:\t0000000001001000\nSigCgt:\t0000000000000002\n", "SigIgn:\t0000000001005000\nSigCgt:\t0000000000000002\n", "SigIgn:\t0000000000000000\nSigCgt:\t0000000000004000\n"
	for _, tt := range []struct {
		name, status string
		want         Ends
	}{
		{"runs", "State:\tS (sleeping)\nNSpid:\t77\n" + python, Ends{}},
		{"is stopped", "State:\tT (stopped)\nNSpid:\t77\n" + python, Ends{Stopped: true}},
		{"a debugger has it", "State:\tt (tracing stop)\nNSpid:\t77\n" + python, Ends{Deaf: true}},
		{"ignores SIGTERM", "State:\tS (sleeping)\nNSpid:\t77\n" + ignores, Ends{Deaf: true}},
		{"ignores SIGTERM and is stopped", "State:\tT (stopped)\nNSpid:\t77\n" + ignores, Ends{Deaf: true, Stopped: true}},
		{"a namespace's first, without a handler", "State:\tS (sleeping)\nNSpid:\t77\t1\n" + python, Ends{Deaf: true, First: true}},
		{"a namespace's first, with one", "State:\tS (sleeping)\nNSpid:\t77\t1\n" + catches, Ends{First: true}},
		{"a namespace's second", "State:\tS (sleeping)\nNSpid:\t77\t2\n" + python, Ends{}},
		{"our own first", "State:\tS (sleeping)\nNSpid:\t1\n" + python, Ends{}},
		{"cut short", "State:\tS (sleeping)\nNSpid:\t77\t1\n", Ends{First: true}},
		{"no masks", "NSpid:\t77\t1\nSigIgn:\tx\nSigCgt:\tx\n", Ends{First: true}},
		{"nothing", "", Ends{}},
	} {
		if got := ParseEnds([]byte(tt.status)); got != tt.want {
			t.Errorf("%s: %+v, want %+v", tt.name, got, tt.want)
		}
	}
}

// KillMode= decides what a stop leaves, unless the unit does not run or has its own way to stop.
func TestUnitLeaves(t *testing.T) {
	for _, tt := range []struct {
		files  []string
		main   bool
		leaves bool
	}{
		{[]string{"[Service]\nExecStart=/bin/x\n"}, false, false},
		{[]string{"[Service]\nKillMode=process\n"}, false, true},
		{[]string{"[Service]\n KillMode = process \n"}, true, false},
		{[]string{"[Service]\nKillMode=mixed\n"}, false, false},
		{[]string{"[Service]\nKillMode=none\n"}, true, true},
		{[]string{"[Service]\n#KillMode=process\n"}, false, false},
		{[]string{"[Unit]\nKillMode=process\n"}, false, false},
		{[]string{"[Service]\nKillMode=process\n", "[Service]\nKillMode=control-group\n"}, false, false},
		{[]string{"[Service]\nKillMode=process\nExecStop=/etc/init.d/x stop\n"}, false, false},
		{[]string{"[Service]\nKillMode=process\nExecStop=/bin/x\n", "[Service]\nExecStop=\n"}, false, true},
	} {
		u := EndsIn(tt.files...)
		u.Main = tt.main
		if u.Leave() != tt.leaves {
			t.Errorf("%q: %+v leaves: %v", tt.files, u, u.Leave())
		}
		if u.Inactive = true; !u.Leave() {
			t.Errorf("%q: a unit that does not run ends nothing", tt.files)
		}
	}
}
