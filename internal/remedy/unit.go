package remedy

import (
	"math"
	"slices"
	"strings"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/guard/report"
	"github.com/lowport/lowport/internal/facts"
	"github.com/lowport/lowport/internal/kernel"
)

// dropIn gives the systemd unit the capability as an ambient one, and removes what prevents
// that. For a unit of systemd-run(1) it gives the options for the next run.
func dropIn(w kernel.World, g kernel.Goal) (candidate, bool) {
	f := w.Facts
	u, okUnit := f.Launcher.Unit.Is()
	if !okUnit || u.User || !unitUser(f) || w.Missing() != 0 { // a file with capabilities clears ambient ones
		return candidate{}, false
	}
	list := g.Need().Systemd()
	if manager, known := f.Launcher.Init.Is(); known && !manager.Bounding.Contains(g.Need()) { // which nobody can give it back
		return candidate{}, false
	}
	lines := append([]string{"AmbientCapabilities=" + list}, widening(g.Need()&^w.Starter.Bounding)...)
	filters := allowing(w, g)
	if len(filters) > 0 && w.Holds(g) && w.Counts { // then these alone are missing
		return candidate{}, false
	}
	lines = append(lines, filters...)
	ownUsers := !w.Counts && privateUsers(f)
	if ownUsers {
		lines = append(lines, "PrivateUsers=no")
	}
	fix, ok := settings(f, u, lines...)
	return candidate{
		Fix: fix,
		change: func(w kernel.World) kernel.World {
			w.Starter.Bounding |= g.Need()
			w.Starter = kernel.Ambient(w.Starter, g.Need())
			w.Counts = w.Counts || ownUsers
			if len(filters) > 0 {
				w = unfiltered(w)
			}
			return w.Start()
		},
	}, ok
}

// settings adds lines to the unit's [Service], behind the drop-ins that are there: of
// two that set the same, the later name counts, and an empty setting takes back what
// stands before it. The next unit of systemd-run(1) may have another name, and another
// one that name: the lines are then for the next run.
func settings(f *facts.Facts, u facts.Unit, lines ...string) (report.Fix, bool) {
	file := lastName(f.Launcher.LastDropIn.Value)
	fix := report.Fix{ID: "systemd-drop-in", Scope: "unit", Summary: "for " + u.Name, Lasts: "until the drop-in is removed", Steps: []report.Step{
		{Write: "/etc/systemd/system/" + u.Name + ".d/" + file, Content: "[Service]\n" + strings.Join(lines, "\n") + "\n"},
		{Run: sudo(f, "systemctl", "daemon-reload")},
		restartUnit(f, u),
	}}
	if u.Transient {
		var properties []string
		for _, l := range lines {
			properties = append(properties, "--property="+l)
		}
		fix.ID, fix.Lasts = "ambient", "as long as it is started like this"
		fix.Steps = []report.Step{{Edit: "systemd-run", Content: Command(properties...) + "\n"}}
	}
	return fix, len(file) <= longestUnitName
}

// lastName returns a name for a drop-in that sorts behind that of the last one there. It is never
// the name of one that is there, which would lose what that one says.
func lastName(last string) string {
	if last < facts.OwnDropIn {
		return facts.OwnDropIn
	}
	return strings.TrimSuffix(last, ".conf") + "_lowport.conf" // "_" sorts behind "."
}

// widening returns the lines that add what is missing to a unit's bounding set, none if nothing
// is.
func widening(missing caps.Set) (lines []string) {
	if missing != 0 {
		lines = append(lines, "CapabilityBoundingSet="+missing.Systemd())
	}
	for _, t := range facts.BoundingTakers {
		if t.Set&missing != 0 {
			lines = append(lines, t.Directive+"=no")
		}
	}
	return lines
}

// widen adds to the unit's bounding set what the file's effective bit asks for. It does not apply
// if a sandboxing directive would have to be lifted for that.
func widen(w kernel.World, g kernel.Goal) (candidate, bool) {
	f := w.Facts
	u, okUnit := f.Launcher.Unit.Is()
	missing := w.Missing()
	manager, okManager := f.Launcher.Ancestor.Is()
	if !okUnit || u.User || f.Launch.Changed || missing == 0 || len(widening(missing)) > 1 || !okManager || !manager.Bounding.Contains(missing) {
		return candidate{}, false
	}
	fix, ok := settings(f, u, widening(missing)...)
	return candidate{
		Fix: fix,
		change: func(w kernel.World) kernel.World {
			w.Starter.Bounding |= missing
			return w.Start()
		},
	}, ok
}

// privateUsers reports whether the user namespace looks like the one of PrivateUsers=: a few
// ids, each mapped to itself.
func privateUsers(f *facts.Facts) bool {
	m := facts.IDMap(f.Net.UIDMap.Value)
	return len(m) > 0 && !slices.ContainsFunc(m, func(r caps.IDRange) bool {
		return r.Inside != r.Outside || r.Count == math.MaxUint32
	})
}

// Systemctl returns a command to the manager of the unit. For the system manager it needs root;
// root says whether it is root who will run it.
func Systemctl(root bool, u facts.Unit, verb ...string) string {
	words := []string{"systemctl"}
	if u.User {
		words = append(words, "--user")
	} else if !root {
		words = append([]string{"sudo"}, words...)
	}
	words = append(words, verb...)
	if strings.HasPrefix(u.Name, "-") {
		words = append(words, "--")
	}
	return Command(append(words, u.Name)...)
}

// unitUser reports whether the unit itself starts this process as its user. If it starts it as
// root, and the process changes its user later, that takes away what the unit gave. A
// supervisor that still runs is seen; one that became this process by execve has
// no $USER, which systemd sets with User= (systemd.exec(5)).
func unitUser(f *facts.Facts) bool {
	if f.Launch.Planned {
		return !f.Launch.Changed
	}
	ids, known := f.Proc.IDs.Is()
	between, seen := f.Launcher.Ancestor.Is()
	return known && ids.UID == 0 || f.Launcher.UserNamed.Value && !(seen && !between.Init)
}
