package kernel

import (
	"math/bits"
	"slices"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/internal/facts"
)

// An impediment keeps a capability that somebody grants from arriving, or from being of
// use.
type impediment struct {
	cause   string
	stands  func(World, Goal) bool
	without func(World, Goal) World
}

// impediments are all of them, in the order in which the kernel comes to them.
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
		func(w World, g Goal) bool { return w.Since == Lowered || !g.raises() },
		func(w World, g Goal) World { w.Since, w.raised = kept(w.Since), true; return w }},
}

func kept(s Since) Since {
	if s == Lowered {
		return Kept
	}
	return s
}

// raises reports whether it suffices for the goal that the capability is permitted.
func (g Goal) raises() bool { return g.Network != "" && g.Raises && g.Refused.Capset == 0 }

// bounded is the world whose bounding set has the set as well. Root then holds it.
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

// grantObstacles are the causes that keep a thread from holding what the goal needs. Each
// capability is looked at by itself.
func grantObstacles(w World, g Goal) []string {
	switch {
	case w.Facts.Proc.Thread.State != facts.Known && !w.Facts.Launch.Planned, w.Facts.Launch.Planned && w.Facts.Launch.Starter.State != facts.Known:
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

// grantOne names the fewest impediments without which a grant arrives; or, where nobody
// grants anything, what kind of nothing that is, and what would void the file capabilities
// that are advised.
func grantOne(w World, g Goal) []string {
	if fewest, ok := fewestImpediments(w, g); ok {
		return named(fewest, g)
	}
	advised, _ := fewestImpediments(w.stamped(g), g)
	further := named(advised, g)
	if running(w.Facts).Caps.Reason == "EOPNOTSUPP" {
		further = append(further, "xattr-unsupported")
	}
	causes := []string{kindOfNothing(w, g)}
	if slices.Contains(further, "bounding-excludes") { // whatever would grant it
		causes = []string{"bounding-excludes", causes[0]}
	}
	return union(causes, further)
}

func named(all []impediment, g Goal) []string {
	var ids []string
	for _, i := range all {
		if i.cause == "not-raised" && g.Refused.Capset != 0 {
			i.cause = "seccomp" // capset is refused
		}
		ids = append(ids, i.cause)
	}
	return ids
}

// stamped is the world in which the file has the capability too, as the fix has it.
func (w World) stamped(g Goal) World {
	w.Image.Stamped, w.Image.Caps = true, Stamp(w.Image, g)
	if !w.drops(g.Need()) {
		w.Since = Kept
	}
	return w
}

// Stamp is the file capabilities that the goal needs, beside those that the file has. A
// bind needs no effective bit where the program raises what is permitted.
func Stamp(i Image, g Goal) caps.File {
	file := i.Caps
	file.Version, file.RootID = 2, 0
	file.Permitted |= g.Need()
	file.Effective = file.Effective || !g.raises()
	return file
}

// fewestImpediments finds the smallest set of impediments without which the thread holds
// what the goal needs. Of sets of one size it takes one that leaves an ambient grant, else
// the first. None is no answer: then nobody grants it.
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

// allStanding are the impediments that stand, and those that would once others are gone.
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

// kindOfNothing names what there is in the place of a grant.
func kindOfNothing(w World, g Goal) string {
	need, f := g.Need(), w.Facts
	path, _ := f.File.Path.Is()
	image := w.Image
	if ran := running(f); !f.Launch.Planned && ran.Caps.State != facts.Unreadable {
		image = imageOf(f, ran) // as it is now: what is to be mended
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

// lostOnTheWay reports whether the capability was inheritable before the user changed: the
// nearest ancestor of another user has it so too. The change clears every set but the
// inheritable one (cap_emulate_setxuid).
func lostOnTheWay(f *facts.Facts, need caps.Set) bool {
	ids, ok := f.Proc.IDs.Is()
	ancestor, known := f.Launcher.Ancestor.Is()
	return ok && known && ancestor.UID != ids.UID && ancestor.Inheritable.Contains(need)
}

// limited reports whether somebody made the bounding set smaller and left in it what is
// needed, as one does who means to grant it. In a container it is compared with what the
// kernel has, elsewhere with what process 1 has.
func limited(f *facts.Facts, bounding caps.Set) bool {
	if f.Launcher.Container.State == facts.Known && f.Launcher.Unit.State != facts.Known {
		last, ok := f.Kernel.LastCap.Is()
		return ok && bounding != caps.UpTo(last)
	}
	init, ok := f.Launcher.Init.Is()
	return ok && bounding != init.Bounding && init.Bounding.Contains(bounding) // a new user namespace has more
}

// fileRead reports whether the capabilities of the running file could be read: without
// them nothing is proven that rests on what the file does not grant.
func fileRead(f *facts.Facts, g Goal) bool {
	image := running(f)
	if f.Launch.Planned {
		image = f.File.Installed
	}
	return image.Caps.State != facts.Unreadable
}

// limitsRead reports whether it could be read what the bounding set is compared with.
func limitsRead(f *facts.Facts, g Goal) bool {
	container, unit := f.Launcher.Container.State, f.Launcher.Unit.State
	if container == facts.Known && unit != facts.Known {
		return fileRead(f, g) && unit == facts.Absent && f.Kernel.LastCap.State == facts.Known
	}
	return fileRead(f, g) && container != facts.Unreadable && unit != facts.Unreadable && f.Launcher.Init.State == facts.Known
}

// nothingRead reports whether all could be read that tells one kind of nothing from another.
func nothingRead(f *facts.Facts, g Goal) bool {
	return limitsRead(f, g) && f.File.Installed.Caps.State != facts.Unreadable && f.File.Path.State == facts.Known && f.Launcher.Authbind.State != facts.Unreadable
}

// union is a and what of b it does not have, in their order.
func union(a, b []string) []string {
	for _, id := range b {
		if !slices.Contains(a, id) {
			a = append(a, id)
		}
	}
	return a
}

// nothings are the kinds of nothing, and what a refused grant comes with.
var nothings = []string{"no-capability", "bounding-only", "inheritable-only", "file-caps-partial", "lost-on-uid-change",
	"go-run", "authbind-bypassed", "authbind-refused", "xattr-unsupported", "threshold-raised", "seccomp", "unknown"}

// grants are all causes for which a capability is not held.
func grants() []string {
	all := slices.Clone(nothings)
	for _, i := range impediments {
		all = append(all, i.cause)
	}
	return all
}
