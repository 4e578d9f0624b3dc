package kernel

import (
	"math/bits"
	"slices"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/internal/facts"
)

// An impediment keeps a granted capability from reaching the thread, or from being of use
// there.
type impediment struct {
	cause   string
	stands  func(World, Goal) bool  // reports whether the world has it
	without func(World, Goal) World // returns the world without it
}

// impediments lists all of them, in the order in which the kernel meets them.
var impediments = []impediment{
	{"nosuid-mount",
		func(w World, g Goal) bool { return w.Image.Nosuid },
		func(w World, g Goal) World { w.Image.Nosuid = false; return w }},
	{"foreign-mount",
		func(w World, g Goal) bool { return w.Image.Foreign },
		func(w World, g Goal) World { w.Image.Foreign = false; return w }},
	{"no-file-caps",
		func(w World, g Goal) bool { return w.Image.Ignored },
		func(w World, g Goal) World { w.Image.Ignored = false; return w }},
	{"file-replaced",
		func(w World, g Goal) bool { return !w.Image.grants(g.Need()) && w.Start().Image.grants(g.Need()) },
		func(w World, g Goal) World { w.Image.Stamped, w.Image.Caps = true, w.Start().Image.Caps; return w }},
	{"rootid-mismatch",
		func(w World, g Goal) bool { return w.Image.Stamped && !w.Image.ours() },
		func(w World, g Goal) World { w.Image.Caps.RootID, w.Image.Shifted = 0, false; return w }},
	{"bounding-excludes",
		func(w World, g Goal) bool { return !w.Starter.Bounding.Contains(g.Need()) },
		func(w World, g Goal) World { return w.bounded(g.Need()) }},
	{"exec-refused", // it runs only because the file's capabilities are ignored
		func(w World, g Goal) bool { return w.Missing() != 0 },
		func(w World, g Goal) World { return w.bounded(w.Missing()) }},
	{"noroot-securebit",
		func(w World, g Goal) bool { return w.Caller.EUID == 0 && w.Starter.Securebits&caps.NoRoot != 0 },
		func(w World, g Goal) World { w.Starter.Securebits &^= caps.NoRoot; return w }},
	{"no-new-privs",
		func(w World, g Goal) bool { return w.Starter.NoNewPrivs },
		func(w World, g Goal) World { w.Starter.NoNewPrivs = false; return w }},
	{"shared-folders",
		func(w World, g Goal) bool { return w.SharedFS },
		func(w World, g Goal) World { w.SharedFS = false; return w }},
	{"traced-exec",
		func(w World, g Goal) bool { return w.Traced },
		func(w World, g Goal) World { w.Traced = false; return w }},
	{"ambient-cleared-by-file",
		func(w World, g Goal) bool { return w.Starter.Ambient.Contains(g.Need()) && w.clearsAmbient() },
		func(w World, g Goal) World {
			w.Image.Stamped, w.Image.Stat.Mode = false, w.Image.Stat.Mode&0o1777
			return w
		}},
	{"threads-differ",
		func(w World, g Goal) bool { return w.Since == OnThread },
		func(w World, g Goal) World { w.Since, w.raised = Kept, true; return w }}, // as on the other threads
	{"let-go",
		func(w World, g Goal) bool { return w.Since == LetGo },
		func(w World, g Goal) World { w.Since = Kept; return w }},
	{"not-raised",
		func(w World, g Goal) bool { return !g.raises() },
		func(w World, g Goal) World { w.raised = true; return w }},
}

// raises reports whether a permitted capability suffices for the goal, since the program makes
// it effective itself.
func (g Goal) raises() bool { return g.Network != "" && g.Raises && g.Refused.Capset == 0 }

// bounded returns the world in which the starter's bounding set has set too. A starter that is
// root then holds it.
func (w World) bounded(set caps.Set) World {
	w.Starter.Bounding |= set
	if w.Caller.EUID == 0 {
		w.Starter.Permitted |= set
	}
	return w
}

// clearsAmbient reports whether the file clears the ambient set: it has file capabilities,
// or a set-ID bit that changes an id.
func (w World) clearsAmbient() bool {
	e := w.exec()
	changes := e.Setuid && e.FileUID != e.UID || e.Setgid && e.FileGID != e.GID
	return !e.Nosuid && (e.File != nil || changes && !w.Starter.NoNewPrivs)
}

// grantObstacles returns the causes that keep a thread from holding what the goal needs. It
// looks at each capability by itself.
func grantObstacles(w World, g Goal) []string {
	start := w.Facts.Proc.Thread.State // of what is known about the thread, or about who will start it
	if w.Facts.Launch.Planned {
		start = w.Facts.Launch.Starter.State
	}
	switch {
	case start != facts.Known:
		return []string{"unknown"}
	case g.Threshold():
		return []string{"threshold-raised"}
	case g.Network != "":
		return grantOne(w, g)
	}
	var all []string
	for c := range (g.Require &^ has(w.thread(g.Require), g)).All() {
		one := g
		one.Require = caps.SetOf(c)
		all = union(all, grantOne(w, one))
	}
	return all
}

// grantOne names the smallest set of impediments whose removal lets a grant arrive. If nobody
// grants anything, it names which cause that is, and what would void the file capabilities
// that lowport then advises.
func grantOne(w World, g Goal) []string {
	if fewest, ok := fewestImpediments(w, g); ok {
		return causesOf(fewest, g)
	}
	advised, _ := fewestImpediments(w.stamped(g), g)
	further := causesOf(advised, g)
	if running(w.Facts).Caps.Reason == "EOPNOTSUPP" {
		further = append(further, "xattr-unsupported")
	}
	causes := []string{kindOfNothing(w, g)}
	if slices.Contains(further, "bounding-excludes") { // whatever would grant it
		causes = []string{"bounding-excludes", causes[0]}
	}
	return union(causes, further)
}

// causesOf returns the causes of the impediments.
func causesOf(all []impediment, g Goal) []string {
	var ids []string
	for _, i := range all {
		if i.cause == "not-raised" && g.Refused.Capset != 0 {
			i.cause = "seccomp" // capset is refused
		}
		ids = append(ids, i.cause)
	}
	return ids
}

// stamped returns the world in which the file has the capability too, as the fix setcap leaves it.
func (w World) stamped(g Goal) World {
	w.Image.Stamped, w.Image.Caps = true, Stamp(w.Image, g)
	if !w.drops(g.Need()) {
		w.Since = Kept
	}
	return w
}

// Stamp adds what the goal needs to the file's capabilities. It sets the effective bit unless
// the program raises what is permitted.
func Stamp(i Image, g Goal) caps.File {
	file := i.Caps
	file.Version, file.RootID = 2, 0
	file.Permitted |= g.Need()
	file.Effective = file.Effective || !g.raises()
	return file
}

// fewestImpediments finds the smallest set of impediments without which the thread holds what
// the goal needs. Among sets of the same size it prefers one that leaves an ambient grant,
// else the first. It reports false if no set suffices: then nobody grants it.
func fewestImpediments(w World, g Goal) ([]impediment, bool) {
	standing := allStanding(w, g)
	var best []impediment
	found, ambient := false, false
	for chosen := range 1 << len(standing) {
		size := bits.OnesCount(uint(chosen))
		if found && (size > len(best) || size == len(best) && ambient) {
			continue
		}
		freed := w
		for n, i := range standing {
			if chosen>>n&1 == 1 {
				freed = i.without(freed, g)
			}
		}
		if !freed.Holds(g) {
			continue
		}
		of := freed.thread(g.Need()).Ambient.Contains(g.Need())
		if found && size == len(best) && !of {
			continue
		}
		found, ambient, best = true, of, nil
		for n, i := range standing {
			if chosen>>n&1 == 1 {
				best = append(best, i)
			}
		}
	}
	return best, found
}

// allStanding returns the impediments that stand, and those that would stand once others are gone.
func allStanding(w World, g Goal) []impediment {
	free := w
	stood := make([]bool, len(impediments))
	for more := true; more; {
		more = false
		for n, i := range impediments {
			if !stood[n] && i.stands(free, g) {
				stood[n], more = true, true
				free = i.without(free, g)
			}
		}
	}
	var all []impediment
	for n, i := range impediments {
		if stood[n] {
			all = append(all, i)
		}
	}
	return all
}

// kindOfNothing names the cause that says why nobody grants the capability.
func kindOfNothing(w World, g Goal) string {
	need, f := g.Need(), w.Facts
	path, _ := f.File.Path.Is()
	image := w.Image
	if ran := running(f); !f.Launch.Planned && ran.Caps.State != facts.Unreadable {
		image = imageOf(f, ran) // as it is now, since a fix changes that
	}
	switch {
	case image.counts() && image.Caps.Inheritable.Contains(need):
		return "inheritable-only"
	case image.counts() && image.Caps.Permitted|image.Caps.Inheritable != 0:
		return "file-caps-partial"
	case w.Starter.Inheritable.Contains(need) && lostOnTheWay(f, need):
		return "lost-on-uid-change"
	case w.Starter.Inheritable.Contains(need):
		return "inheritable-only"
	case f.Launcher.Authbind.Value && g.Network != "":
		return "authbind-bypassed"
	case w.Starter.Bounding.Contains(need) && limited(f, w.Starter.Bounding):
		return "bounding-only"
	case facts.GoRun(path):
		return "go-run"
	default:
		return "no-capability"
	}
}

// lostOnTheWay reports whether the capability was inheritable before the user changed: it is
// in the inheritable set of the nearest ancestor of another user too. The change clears every set but the
// inheritable one (cap_emulate_setxuid).
func lostOnTheWay(f *facts.Facts, need caps.Set) bool {
	ids, ok := f.Proc.IDs.Is()
	ancestor, known := f.Launcher.Ancestor.Is()
	return ok && known && ancestor.UID != ids.UID && ancestor.Inheritable.Contains(need)
}

// limited reports whether somebody chose the bounding set. If what is needed is in it, they
// probably meant to grant that. In a container that is the engine, also where it was told to add
// all capabilities; elsewhere the set is compared with that of process 1.
func limited(f *facts.Facts, bounding caps.Set) bool {
	if inContainer(f) {
		return true
	}
	init, ok := f.Launcher.Init.Is()
	return ok && bounding != init.Bounding && init.Bounding.Contains(bounding) // a new user namespace has more
}

// inContainer reports whether an engine started the program, and no service manager in its
// container.
func inContainer(f *facts.Facts) bool {
	return f.Launcher.Container.State == facts.Known && f.Launcher.Unit.State != facts.Known
}

// fileRead reports whether the capabilities of the executed file could be read. If not,
// nothing is proven that rests on what the file does not grant.
func fileRead(f *facts.Facts, g Goal) bool { return executedFile(f).Caps.State != facts.Unreadable }

// limitsRead reports whether what limited compares could be read.
func limitsRead(f *facts.Facts, g Goal) bool {
	container, unit := f.Launcher.Container.State, f.Launcher.Unit.State
	if inContainer(f) {
		return fileRead(f, g) && unit == facts.Absent
	}
	outside := container != facts.Unreadable && unit != facts.Unreadable
	return fileRead(f, g) && outside && f.Launcher.Init.State == facts.Known
}

// nothingRead reports whether everything that kindOfNothing looks at could be read.
func nothingRead(f *facts.Facts, g Goal) bool {
	file := f.File.Installed.Caps.State != facts.Unreadable && f.File.Path.State == facts.Known
	return limitsRead(f, g) && file && f.Launcher.Authbind.State != facts.Unreadable
}

// union returns a, followed by what of b it does not have.
func union(a, b []string) []string {
	for _, id := range b {
		if !slices.Contains(a, id) {
			a = append(a, id)
		}
	}
	return a
}

// nothings are the causes that kindOfNothing names, and those that grantObstacles adds to them.
var nothings = []string{"no-capability", "bounding-only", "inheritable-only", "file-caps-partial", "lost-on-uid-change",
	"go-run", "authbind-bypassed", "authbind-refused", "xattr-unsupported", "threshold-raised", "seccomp", "unknown"}

// grants lists all causes for which a thread does not hold a capability. That a program is
// not executed belongs to the gate "start".
func grants() []string {
	all := slices.Clone(nothings)
	for _, i := range impediments {
		if i.cause != "exec-refused" {
			all = append(all, i.cause)
		}
	}
	return all
}
