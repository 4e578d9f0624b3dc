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

// dropIn gives the systemd unit the capability as an ambient one, and takes away
// what stands against it. One of systemd-run(1) is started so anew.
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
	return candidate{
		Fix: settings(f, u, lines...),
		change: func(w kernel.World) kernel.World {
			w.Starter.Bounding |= g.Need()
			w.Starter = kernel.Ambient(w.Starter, g.Need())
			w.Counts = w.Counts || ownUsers
			if len(filters) > 0 {
				w = unfiltered(w)
			}
			return w.Start()
		},
	}, true
}

// settings adds lines to the unit's [Service], behind the drop-ins that are there: of
// two that set the same, the later name counts, and an empty setting takes back what
// stands before it. The next unit of systemd-run(1) may have another name, and another
// one that name: the lines are then for the next run.
func settings(f *facts.Facts, u facts.Unit, lines ...string) report.Fix {
	fix := report.Fix{ID: "systemd-drop-in", Scope: "unit", Summary: "for " + u.Name, Lasts: "until the drop-in is removed", Steps: []report.Step{
		{Write: "/etc/systemd/system/" + u.Name + ".d/zz-lowport.conf", Content: "[Service]\n" + strings.Join(lines, "\n") + "\n"},
		{Run: sudo(f, "systemctl", "daemon-reload")},
		{Run: Systemctl(Root(f), u, "restart")},
	}}
	if u.Transient {
		var properties []string
		for _, l := range lines {
			properties = append(properties, "--property="+l)
		}
		fix.ID, fix.Lasts = "ambient", "as long as it is started like this"
		fix.Steps = []report.Step{{Edit: "systemd-run", Content: Command(properties...) + "\n"}}
	}
	return fix
}

// takers are the directives that take capabilities from the bounding set, whatever
// CapabilityBoundingSet= says (systemd.exec(5)).
var takers = []struct {
	set  caps.Set
	name string
}{
	{caps.SetOf(caps.MKNOD, caps.SYS_RAWIO), "PrivateDevices="},
	{caps.SetOf(caps.SYS_MODULE), "ProtectKernelModules="},
	{caps.SetOf(caps.SYSLOG), "ProtectKernelLogs="},
	{caps.SetOf(caps.SYS_TIME, caps.WAKE_ALARM), "ProtectClock="},
}

// widening is the lines that add what is missing to a unit's bounding set, none for nothing.
func widening(missing caps.Set) (lines []string) {
	if missing != 0 {
		lines = append(lines, "CapabilityBoundingSet="+missing.Systemd())
	}
	for _, t := range takers {
		if t.set&missing != 0 {
			lines = append(lines, t.name+"no")
		}
	}
	return lines
}

// widen gives the unit's bounding set what the file's effective bit asks for, but does not
// open for it what a directive closes.
func widen(w kernel.World, g kernel.Goal) (candidate, bool) {
	f := w.Facts
	u, okUnit := f.Launcher.Unit.Is()
	missing := w.Missing()
	manager, okManager := f.Launcher.Ancestor.Is()
	if !okUnit || u.User || f.Launch.Changed || missing == 0 || len(widening(missing)) > 1 || !okManager || !manager.Bounding.Contains(missing) {
		return candidate{}, false
	}
	return candidate{
		Fix: settings(f, u, widening(missing)...),
		change: func(w kernel.World) kernel.World {
			w.Starter.Bounding |= missing
			return w.Start()
		},
	}, true
}

// privateUsers says whether the user namespace looks like the one of
// PrivateUsers=: a few ids, each mapped to itself.
func privateUsers(f *facts.Facts) bool {
	m := facts.IDMap(f.Net.UIDMap.Value)
	return len(m) > 0 && !slices.ContainsFunc(m, func(r caps.IDRange) bool {
		return r.Inside != r.Outside || r.Count == math.MaxUint32
	})
}

// Systemctl is a command for the unit's own manager, of root or not; a user's is the
// user's to command.
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

// unitUser reports whether the unit itself starts this process as its user, and not
// as root that changes the user later, which takes away what the unit gave. A
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
