package remedy

import (
	"cmp"
	"slices"

	"github.com/lowport/lowport/internal/facts"
	"github.com/lowport/lowport/internal/rules"
)

// candidates lists what could help a process started like this one, in the
// order to print it: what frees the address of each goal, then what gives the
// privilege for all of them. Each maker returns nothing where it does not apply.
func candidates(f facts.Facts, goals ...rules.Goal) []candidate {
	var all []candidate
	g := rules.Goal{}
	add := func(makers ...func(facts.Facts, rules.Goal) (candidate, bool)) {
		for _, make := range makers {
			c, ok := make(f, g)
			if ok && !slices.ContainsFunc(all, func(old candidate) bool { return slices.Equal(old.Steps, c.Steps) }) {
				all = append(all, c)
			}
		}
	}
	for _, g = range goals {
		add(stopOwner, nonlocal)
	}
	g = lowest(goals)
	switch {
	case f.Launcher.Unit.State == facts.Known:
		sockets := func(f facts.Facts, _ rules.Goal) (candidate, bool) { return socketUnits(f, goals) }
		add(restart, widen, dropIn, sockets, setcap, remount)
	case f.Launcher.Container.State == facts.Known:
		add(ambient, capAdd, container, compose, addToImage)
		if keepsFiles(f) {
			add(setcap)
		}
	case goRun(f):
		add(build)
	default:
		add(restart, setcap, setpriv, move, remount)
	}
	add(profile, sysctl)
	return all
}

// lowest is the goal of the lowest port: what makes it unprivileged does so for
// all.
func lowest(goals []rules.Goal) rules.Goal {
	return slices.MinFunc(goals, func(a, b rules.Goal) int { return cmp.Compare(a.Port, b.Port) })
}
