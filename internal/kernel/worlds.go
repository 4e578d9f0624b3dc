package kernel

import (
	"maps"
	"slices"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/internal/facts"
)

// mostAssumptions bounds the unusual assumptions of a story: one with more is not considered.
const mostAssumptions = 2

// defaultPortStart is the kernel's ip_unprivileged_port_start (PROT_SOCK).
const defaultPortStart = 1024

// Worlds returns the stories that predict what was read and how the goal was refused, those of
// the least cost first. It returns none if the facts contradict each other. For a program
// that does not run yet it returns one story for each answer that the facts leave open.
func Worlds(f *facts.Facts, g Goal) []World {
	var worlds []World
	switch _, known := f.Proc.Thread.Is(); {
	case f.Launch.Planned:
		worlds = planned(f)
	case !known:
		worlds = untold(f)
	default:
		worlds = lived(f, g)
	}
	worlds = consider(worlds, g, g.Need(), ofMachine)
	worlds = slices.DeleteFunc(worlds, func(w World) bool { return !w.outcome(g) })
	slices.SortStableFunc(worlds, func(a, b World) int { return a.cost - b.cost })
	return worlds
}

// base returns the world in which all is as it was read, and nothing stands in the way.
func base(f *facts.Facts) World {
	return World{
		Facts: f, Image: imageOf(f, running(f)), now: f.Proc.Thread.Value,
		PortStart: defaultPortStart, Counts: true, Granted: true, Local: true, Holder: Nobody,
	}
}

// untold returns the worlds if what the thread holds is not known: it holds everything, or nothing.
func untold(f *facts.Facts) []World {
	all, none := base(f), base(f)
	all.seen, none.seen = true, true
	full := caps.UpTo(caps.Last)
	all.now, none.now = caps.State{Permitted: full, Effective: full}, caps.State{}
	if !f.Launch.Planned {
		return []World{all, none}
	}
	refused := base(f) // perhaps it is not executed at all
	refused.Image = Image{Stamped: true, Caps: caps.File{Version: 2, Permitted: full, Effective: true}}
	return []World{all, none, refused}
}

// planned returns the worlds of a program that does not run yet.
func planned(f *facts.Facts) []World {
	starter, okStarter := f.Launch.Starter.Is()
	ids, okIDs := f.Proc.IDs.Is()
	_, okStat := f.File.Installed.Stat.Is()
	_, okNosuid := f.File.Installed.Nosuid.Is()
	if !okStarter || !okIDs || !okStat || !okNosuid || f.File.Installed.Caps.State == facts.Unreadable {
		return untold(f)
	}
	w := base(f).Start()
	w.Starter, w.Caller, w.SharedFS = starter, ids, f.Launcher.SharesFS.Value
	return consider([]World{w}, Goal{}, 0, []unknown{watchers, idmaps, setIDs, releases})
}

// lived returns the worlds of this process: they say how the thread that was refused came to
// hold what it holds. That is the calling thread, unless it has all that the goal needs and
// another thread has not.
func lived(f *facts.Facts, g Goal) []World {
	need := g.Need()
	w := base(f)
	var worlds []World
	if missing := need &^ has(w.now, g); missing == 0 {
		seen := w
		seen.seen = true
		seen.Starter, seen.Caller = w.now, f.Proc.IDs.Value
		if w.now, missing = lacking(f, g); missing == 0 || g.Network != "" {
			worlds = append(worlds, seen)
		}
		if missing == 0 && f.Proc.Threads.State == facts.Known {
			return worlds
		}
		if missing == 0 { // another thread may lack it
			w.now.Effective, w.now.Permitted = w.now.Effective&^need, w.now.Permitted&^need
			w.cost++
		}
	}
	missing := need &^ has(w.now, g)
	for _, w := range consider([]World{w}, g, missing, ofProcess) {
		if w, ok := w.predicts(missing); ok && w.cost <= mostAssumptions {
			worlds = append(worlds, w)
		}
	}
	return worlds
}

// has returns the capabilities of a thread that count for the goal.
func has(s caps.State, g Goal) caps.Set {
	if g.raises() {
		return s.Permitted
	}
	return s.Effective
}

// lacking returns the state of the first thread that lacks something that the goal needs, and
// what it lacks. If none does, it returns the calling thread and nothing.
func lacking(f *facts.Facts, g Goal) (caps.State, caps.Set) {
	all, _ := f.Proc.Threads.Is()
	for _, tid := range slices.Sorted(maps.Keys(all)) {
		if missing := g.Need() &^ has(all[tid], g); missing != 0 {
			return all[tid], missing
		}
	}
	return f.Proc.Thread.Value, 0
}

// consider puts every question to every world, and leaves out stories with too many assumptions.
func consider(worlds []World, g Goal, set caps.Set, questions []unknown) []World {
	for _, question := range questions {
		var more []World
		for _, w := range worlds {
			for _, answered := range question(w, g, set) {
				if answered.cost <= mostAssumptions {
					more = append(more, answered)
				}
			}
		}
		worlds = more
	}
	return worlds
}

// Likeliest returns the worlds of least cost. worlds is sorted by cost.
func Likeliest(worlds []World) []World {
	n := 0
	for n < len(worlds) && worlds[n].cost == worlds[0].cost {
		n++
	}
	return worlds[:n]
}
