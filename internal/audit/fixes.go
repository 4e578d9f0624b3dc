package audit

import (
	"slices"
	"strings"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/guard/report"
	"github.com/lowport/lowport/internal/facts"
	"github.com/lowport/lowport/internal/remedy"
)

// A Fix is a change after which, by the rules here, findings are gone.
type Fix struct {
	report.Fix
	Ends []string // the ids of those findings
}

// A candidate is a fix that may or may not end something here.
type candidate struct {
	report.Fix
	change func(Process) Process // what the process is like when it was started anew
}

// Fixes returns what ends findings above a note, each as far as it does.
func Fixes(p Process) []Fix {
	var fixes []Fix
	before := Findings(p)
	for _, make := range []func(Process) (candidate, bool){dropIn, closeFile, closeSet, noSetID, restart, dropAll} {
		c, ok := make(p)
		if !ok {
			continue
		}
		after := Findings(c.change(p))
		f := Fix{Fix: c.Fix}
		for _, b := range before {
			if b.Severity.Above(Note) && !slices.ContainsFunc(after, func(a Finding) bool { return a.ID == b.ID }) {
				f.Ends = append(f.Ends, b.ID)
			}
		}
		if len(f.Ends) > 0 {
			fixes = append(fixes, f)
		}
	}
	return fixes
}

// needs is what the process has to be granted for its ports.
func (p Process) needs() caps.Set {
	if p.union(permitted)&port != 0 && !p.IsRoot() {
		return port
	}
	start, ok := p.PortStart.Is()
	if slices.ContainsFunc(p.Listens.Value, func(l Listen) bool { return !ok || int(l.Addr.Port()) < start }) {
		return port
	}
	return 0
}

// dynamicUser is some uid of those that DynamicUser= gives.
const dynamicUser = 61184

// dropIn confines the unit. The lines that systemd joins are emptied first, and so is
// the user, for DynamicUser= keeps one that there is. Where the process has nothing that
// its unit or file gave it, it was given nothing, but perhaps a socket, and gets nothing;
// or the unit starts it as root, which leaves that by itself, for which it needs
// capabilities: no set is changed then.
func dropIn(p Process) (candidate, bool) {
	u, ok := p.unit()
	if !ok {
		return candidate{}, false
	}
	given := p.IsRoot() || p.Direct && (p.union(ambient) != 0 || p.Exe.Caps.State != facts.Absent)
	needs, becomes := p.needs(), ""
	content := "[Service]\n"
	if p.IsRoot() {
		content += "User=\nGroup=\nDynamicUser=yes\n"
		becomes = ", if it does not need to be root"
		if needs != 0 {
			becomes += " except for its port"
		}
		becomes += ": as a user of its own it owns none of root's files, and can write none outside StateDirectory= and the like"
	}
	if given {
		content += sets("AmbientCapabilities", needs) + sets("CapabilityBoundingSet", needs)
	}
	content += "NoNewPrivileges=yes\n"
	return candidate{
		Fix: report.Fix{ID: "systemd-drop-in", Scope: "unit", Summary: "for " + u.Name + becomes, Lasts: "until the drop-in is removed", Steps: []report.Step{
			{Write: "/etc/systemd/system/" + u.Name + ".d/zzz-lowport-audit.conf", Content: content},
			{Run: p.command("systemctl", "daemon-reload")},
			p.again(u),
		}},
		change: p.each(func(t Thread) Thread {
			t.NoNewPrivs = true
			if !given {
				return t
			}
			if t.UIDs.has(0) {
				t.UIDs = IDs{dynamicUser, dynamicUser, dynamicUser, dynamicUser}
				t.Permitted, t.Effective, t.Inheritable, t.Ambient = needs, needs, needs, needs
			}
			t.Permitted, t.Effective, t.Inheritable, t.Ambient = t.Permitted&needs, t.Effective&needs, t.Inheritable&needs, t.Ambient&needs
			t.Bounding = needs
			return t
		}),
	}, true
}

// sets are the lines that make an option of a unit that set and nothing more.
func sets(option string, s caps.Set) string {
	if s == 0 {
		return option + "=\n"
	}
	return option + "=\n" + option + "=" + s.Systemd() + "\n"
}

// each changes every thread.
func (p Process) each(change func(Thread) Thread) func(Process) Process {
	return func(p Process) Process {
		all := map[int]Thread{}
		for tid, t := range p.Threads.Value {
			all[tid] = change(t)
		}
		if p.Threads.State == facts.Known {
			p.Threads = p.Threads.Now(all)
		}
		return p
	}
}

// closeFile gives the file to root and takes the permission to write it, and the
// folders above it, from others. Of a folder it changes no owner.
func closeFile(p Process) (candidate, bool) {
	way, ok := p.Way.Is()
	threads := p.threads()
	if !ok || !p.Here || len(threads) == 0 || len(way) == 0 {
		return candidate{}, false
	}
	way = slices.Clone(way)
	var steps []report.Step
	for _, w := range writers(way, threads[0]) {
		i := slices.IndexFunc(way, func(o Place) bool { return o.Path == w.Path })
		if w.Mode&typeBits != folder && w.UID != 0 {
			// Then its user needs the permission to execute it.
			steps = append(steps, report.Step{Run: p.command("chown", "root:root", w.Path)}, report.Step{Run: p.command("chmod", "go-w,a+x", w.Path)})
			way[i].UID, way[i].GID, way[i].Mode = 0, 0, w.Mode&^0o022|0o111
			if c, ok := p.Exe.Caps.Is(); ok && p.Interprets.State == facts.Known && !p.Interprets.Value { // chown took them away
				steps = append(steps, p.setcap(c, w.Path))
			}
		} else if w.others() != 0 {
			steps = append(steps, report.Step{Run: p.command("chmod", "go-w", w.Path)})
			way[i].Mode &^= 0o022
		}
	}
	if len(steps) == 0 {
		return candidate{}, false
	}
	return candidate{
		Fix: report.Fix{ID: "close-file", Scope: "file", Summary: "so that only root can change the program", Lasts: "until the file is installed with another owner or mode", Steps: steps},
		change: func(p Process) Process {
			p.Way = p.Way.Now(way)
			return p
		},
	}, true
}

// closeSet leaves the file with what a port needs, or nothing.
func closeSet(p Process) (candidate, bool) {
	name, okPath := p.Path.Is()
	c, okCaps := p.Exe.Caps.Is()
	if !okPath || !okCaps || !p.Here || c.Permitted|c.Inheritable == 0 {
		return candidate{}, false
	}
	keep := c
	keep.Permitted, keep.Inheritable = c.Permitted&p.needs(), 0
	fix := report.Fix{ID: "setcap", Scope: "file", Summary: "for the next start of the file", Lasts: "until the file is replaced or chowned"}
	step := report.Step{Run: p.command("setcap", "-r", name)}
	if keep.Permitted != 0 && p.Interprets.State == facts.Known && !p.Interprets.Value {
		step = p.setcap(keep, name)
	} else {
		keep.Permitted = 0
	}
	fix.Steps = []report.Step{step}
	if u, ok := p.unit(); ok {
		fix.Steps = append(fix.Steps, p.again(u))
	}
	return candidate{Fix: fix, change: func(p Process) Process {
		p.Exe.Caps = p.Exe.Caps.Now(keep)
		if keep.Permitted == 0 {
			p.Exe.Caps = p.Exe.Caps.None()
		}
		return p.each(func(t Thread) Thread { // what it has from elsewhere is ambient
			if !t.UIDs.has(0) {
				t.Permitted &= keep.Permitted | t.Ambient
				t.Effective &= t.Permitted
			}
			return t
		})(p)
	}}, true
}

// noSetID takes the set-user-ID and set-group-ID bits off the file.
func noSetID(p Process) (candidate, bool) {
	name, okPath := p.Path.Is()
	s, okStat := p.Exe.Stat.Is()
	if !okPath || !okStat || !p.Here || s.Mode&setID == 0 {
		return candidate{}, false
	}
	return candidate{
		Fix: report.Fix{ID: "chmod", Scope: "file", Summary: "for the next start of the file", Lasts: "until the file is installed with another owner or mode",
			Steps: []report.Step{{Run: p.command("chmod", "ug-s", name)}}},
		change: func(p Process) Process {
			s.Mode &^= setID
			p.Exe.Stat = p.Exe.Stat.Now(s)
			return p
		},
	}, true
}

// restart starts the file that is at the path now.
func restart(p Process) (candidate, bool) {
	u, ok := p.unit()
	name, _ := p.Path.Is()
	if _, found := replaced(p); !ok || !found || strings.HasPrefix(name, "memfd:") || p.Same.State == facts.Absent {
		return candidate{}, false
	}
	return candidate{
		Fix: report.Fix{ID: "restart", Scope: "unit", Summary: "run the file that is there now", Lasts: "until the file is replaced again", Steps: []report.Step{p.again(u)}},
		change: func(p Process) Process {
			p.Deleted, p.Same = p.Deleted.Now(false), p.Same.Now(true)
			return p
		},
	}, true
}

// dropAll is the line that a program of Go lacks.
func dropAll(p Process) (candidate, bool) {
	if p.Threads.State != facts.Known {
		return candidate{}, false
	}
	return candidate{
		Fix: report.Fix{ID: "drop", Scope: "code", Summary: "in a Go program, give up all it holds, on every thread", Lasts: "as long as the program does so", Steps: []report.Step{
			{Edit: "the program, once its sockets are open", Content: "if err := drop.All(); err != nil { // github.com/lowport/lowport/caps/drop\n\tlog.Fatal(err)\n}\n"},
		}},
		change: p.each(func(t Thread) Thread {
			t.Permitted, t.Effective, t.Inheritable, t.Ambient = 0, 0, 0, 0
			t.NoNewPrivs = true
			return t
		}),
	}, true
}

// unit is the unit that commands may name: one of the system's manager.
func (p Process) unit() (facts.Unit, bool) {
	u, ok := p.Unit.Is()
	return u, ok && !u.User && facts.UnitName(u.Name)
}

// setcap is the command that gives a file what c has.
func (p Process) setcap(c caps.File, name string) report.Step {
	words := []string{"setcap"}
	if c.RootID != 0 {
		words = append(words, "-n", id(c.RootID))
	}
	return report.Step{Run: p.command(append(words, c.String(), name)...)}
}

// again is the step that starts a unit anew.
func (p Process) again(u facts.Unit) report.Step {
	return report.Step{Run: remedy.Systemctl(p.AsRoot, u, "restart")}
}

// command is a command line for root.
func (p Process) command(words ...string) string {
	if !p.AsRoot {
		words = append([]string{"sudo"}, words...)
	}
	return remedy.Command(words...)
}
