package remedy

import "github.com/lowport/lowport/internal/machine"

// ownNetwork says that this is another network namespace than that of process 1.
func ownNetwork(f machine.Facts) bool {
	name, known := f.NetName.Is()
	return known && name != "" || f.NetName.State == machine.Absent
}

// sealed says that nobody who reads this has a shell in our network namespace, and
// that no name leads there: PrivateNetwork= of a unit.
func sealed(f machine.Facts) bool {
	return f.NetName.State == machine.Absent && f.Unit.State == machine.Known
}

// inNetwork is the command for our network namespace, where that has a name. One
// without is that of the shell which started the program.
func inNetwork(f machine.Facts, command ...string) []string {
	if name, known := f.NetName.Is(); known && name != "" {
		return append([]string{"ip", "netns", "exec", name}, command...)
	}
	return command
}
