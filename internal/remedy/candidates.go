package remedy

import (
	"cmp"
	"slices"

	"github.com/lowport/lowport/internal/facts"
	"github.com/lowport/lowport/internal/kernel"
)

// candidates lists what could help a process that was started like this one, in the order to
// print it: first what frees the address of each goal, then what gives the privilege for all
// of them. Each maker reports false if it does not apply.
func candidates(w kernel.World, goals ...kernel.Goal) []candidate {
	f := w.Facts
	var all []candidate
	g := kernel.Goal{}
	add := func(makers ...func(kernel.World, kernel.Goal) (candidate, bool)) {
		for _, make := range makers {
			if c, ok := make(w, g); ok {
				all = merge(all, []candidate{c})
			}
		}
	}
	_, inUnit := f.Launcher.Unit.Is()
	_, isSupervised := supervised(f)
	add(func(w kernel.World, _ kernel.Goal) (candidate, bool) { return stopOwners(w, goals) })
	for _, g = range goals {
		add(loopback6, linkUp, rightZone)
		if !inUnit || isSupervised {
			add(nonlocal)
		}
	}
	g = lowest(goals)
	switch {
	case isSupervised:
		add(restart, supervisor, setcap, remount)
	case inUnit:
		sockets := func(w kernel.World, _ kernel.Goal) (candidate, bool) { return socketUnits(w, goals) }
		add(restart, widen, allow, dropIn, userDropIn, sockets, setcap, remount)
	case f.Launcher.Container.State == facts.Known:
		add(ambient, container, compose, capAdd, addToImage)
		if keepsFiles(f) {
			add(setcap)
		} else {
			add(setcapInside)
		}
	case goRun(f):
		add(build)
	case len(libraries(f)) > 0:
		add(restart, setpriv, setcap, move, remount)
	default:
		add(restart, setcap, setpriv, move, remount)
	}
	if inUnit && !isSupervised { // last, since a socket unit changes less
		for _, g = range goals {
			add(nonlocal)
		}
		g = lowest(goals)
	}
	add(profile, sysctl)
	if len(goals) == 1 {
		add(oneAddress, everyAddress)
	}
	if !inUnit && !isSupervised && f.Launcher.Container.State != facts.Known {
		add(launcher)
	}
	return all
}

// lowest returns the goal with the lowest port: what makes that port unprivileged does so for
// all.
func lowest(goals []kernel.Goal) kernel.Goal {
	return slices.MinFunc(goals, func(a, b kernel.Goal) int { return cmp.Compare(a.Port, b.Port) })
}
