package remedy

import (
	"github.com/lowport/lowport/internal/machine"
	"github.com/lowport/lowport/internal/rules"
)

// candidates lists what could help a process started like this one, in the
// order to print it. Each maker returns nothing where it does not apply.
func candidates(f machine.Facts, g rules.Goal) []candidate {
	var all []candidate
	add := func(makers ...func(machine.Facts, rules.Goal) (candidate, bool)) {
		for _, make := range makers {
			if c, ok := make(f, g); ok {
				all = append(all, c)
			}
		}
	}
	add(stopOwner, nonlocal)
	switch {
	case f.Unit.State == machine.Known:
		add(restart, dropIn, setcap, remount)
	case f.Container.State == machine.Known:
		add(capAdd, container, compose, addToImage)
	case goRun(f):
		add(build)
	default:
		add(restart, setcap, setpriv, move, remount)
	}
	add(sysctl)
	return all
}
