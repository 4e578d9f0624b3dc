package audit

import (
	"fmt"
	"slices"
	"strings"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/guard/report"
	"github.com/lowport/lowport/internal/facts"
	"github.com/lowport/lowport/internal/term"
)

// privileged reports whether the process, or its file, has something to take over.
func (p Process) privileged() bool {
	return p.IsRoot() || p.union(permitted) != 0 || p.Exe.Caps.State == facts.Known && p.Exe.Caps.Value.Permitted|p.Exe.Caps.Value.Inheritable != 0
}

// writableExecutable: whoever may change the file, or put another in its place,
// decides what runs at the next start.
func writableExecutable(p Process) (Finding, bool) {
	f := Finding{ID: "writable-executable", Severity: Medium}
	threads := p.threads()
	if len(threads) == 0 || p.Way.State != facts.Known {
		return f, false
	}
	for _, w := range writers(p.Way.Value, threads[0]) {
		who, severity := "everybody", High
		switch w.who {
		case bySelf:
			who, severity = "the process itself", Medium
		case byGroup:
			who, severity = "its group "+id(w.GID), Medium
			if w.ACL {
				who = "users in its access control list"
			}
		}
		if p.privileged() {
			severity = severity.worse()
		}
		if severity.Above(f.Severity) {
			f.Severity = severity
		}
		what := "the file"
		if w.danger == caps.WritableFolder {
			what = "the folder"
		}
		if f.Summary == "" || w.danger == caps.WritableFile {
			f.Summary = who + " may write " + what + " " + term.Show(w.Path)
			if w.danger == caps.WritableFolder {
				f.Summary = who + " may replace the program: " + what + " " + term.Show(w.Path)
			}
		}
		value := fmt.Sprintf("%#o %d:%d", w.Mode&0o7777, w.UID, w.GID)
		f.Evidence = append(f.Evidence, known("mode of "+w.Path, value, fmt.Sprintf("%s %s: %s may write it", term.Show(w.Path), value, who), "stat"))
	}
	return f, f.Summary != ""
}

// exe is the program's path as words have it.
func (p Process) exe() string {
	if path, ok := p.Path.Is(); ok {
		return term.Show(path)
	}
	return "the program's file"
}

func (p Process) fileCaps() report.Fact {
	c := p.Exe.Caps
	return known("file capabilities", c.Value.String(), p.exe()+" has "+c.Value.String(), c.Source)
}

func interpreter(p Process) (Finding, bool) {
	c, ok := p.Exe.Caps.Is()
	if runs, known := p.Interprets.Is(); !ok || !known || !runs || c.Permitted|c.Inheritable == 0 {
		return Finding{}, false
	}
	return Finding{ID: "interpreter-capabilities", Severity: Critical, Evidence: []report.Fact{p.fileCaps()},
		Summary: p.exe() + " runs any program, and gives it " + count(c.Permitted|c.Inheritable)}, true
}

// fileCapabilities: whoever executes the file holds what it grants, whatever the
// process has given up since.
func fileCapabilities(p Process) (Finding, bool) {
	c, ok := p.Exe.Caps.Is()
	more := c.Permitted &^ port
	if !ok || more == 0 {
		return Finding{}, false
	}
	f := Finding{ID: "file-capabilities", Severity: Medium, Evidence: []report.Fact{p.fileCaps()}}
	f.Summary = "its file grants " + count(more) + " to whoever executes it"
	f.Allows = allows(more)
	if amounting(more) != 0 {
		f.Severity, f.Allows = High, allows(amounting(more))
	}
	return f, true
}

func setIDExecutable(p Process) (Finding, bool) {
	s, ok := p.Exe.Stat.Is()
	if !ok || s.Mode&setID == 0 {
		return Finding{}, false
	}
	value := fmt.Sprintf("%#o %d:%d", s.Mode&0o7777, s.UID, s.GID)
	return Finding{ID: "set-id-executable", Severity: Medium, Summary: "its file changes the user or group of whoever executes it",
		Evidence: []report.Fact{known("mode", value, p.exe()+" is "+value, p.Exe.Stat.Source)}}, true
}

func replaced(p Process) (Finding, bool) {
	f := Finding{ID: "replaced-executable", Severity: Medium}
	name, _ := p.Path.Is()
	gone, okGone := p.Deleted.Is()
	other := p.Same.State == facts.Known && !p.Same.Value
	switch {
	case okGone && gone && strings.HasPrefix(name, "memfd:"):
		f.Summary = "its program is in no file: it was executed from memory"
		f.Evidence = []report.Fact{known("exe", p.exe(), "runs "+p.exe(), p.source("exe"))}
		return f, true
	case p.Same.State == facts.Absent, okGone && gone && !other:
		f.Summary = "its program is no longer at " + p.exe()
	case other:
		f.Summary = "the file at " + p.exe() + " is not the one it runs"
	default:
		return f, false
	}
	f.Evidence = []report.Fact{known("exe", p.exe(), "runs a file that is not at "+p.exe(), p.source("exe"))}
	return f, true
}

// mayLack are the facts that a process may be without: of any other an error that
// sounds like it, as a filesystem can give, is none.
var mayLack = map[string]bool{"file capabilities": true, "file at its path": true, "folders above it": true}

// couldNotTell names what findings need and could not be read.
func couldNotTell(p Process) (Finding, bool) {
	f := Finding{ID: "could-not-tell", Severity: Unknown}
	var what []string
	doubt := func(name string, state facts.State, source, reason string) {
		if state == facts.Known || state == facts.Absent && mayLack[name] {
			return
		}
		state = facts.Unreadable
		what = append(what, name)
		f.Evidence = append(f.Evidence, report.Fact{Name: name, Value: reason, Source: source, State: state.String(), Says: name + ": could not tell (" + term.Show(reason) + ")"})
	}
	doubt("threads", p.Threads.State, p.Threads.Source, p.Threads.Reason)
	doubt("user namespace", p.UserNS.State, p.UserNS.Source, p.UserNS.Reason)
	doubt("sockets", p.Listens.State, p.Listens.Source, p.Listens.Reason)
	if p.needsStart() {
		doubt("port threshold", p.PortStart.State, p.PortStart.Source, p.PortStart.Reason)
	}
	doubt("program", p.Path.State, p.Path.Source, p.Path.Reason)
	doubt("file capabilities", p.Exe.Caps.State, p.Exe.Caps.Source, p.Exe.Caps.Reason)
	if p.Exe.Caps.State == facts.Known && p.Interprets.State == facts.Unreadable {
		doubt("whether it is an interpreter", p.Interprets.State, p.Interprets.Source, p.Interprets.Reason)
	}
	doubt("file mode", p.Exe.Stat.State, p.Exe.Stat.Source, p.Exe.Stat.Reason)
	if gone, ok := p.Deleted.Is(); ok && !gone {
		doubt("file at its path", p.Same.State, p.Same.Source, p.Same.Reason)
		doubt("folders above it", p.Way.State, p.Way.Source, p.Way.Reason)
	}
	if p.below() {
		doubt("uid_map", p.UIDMap.State, p.UIDMap.Source, p.UIDMap.Reason)
		doubt("gid_map", p.GIDMap.State, p.GIDMap.Source, p.GIDMap.Reason)
	}
	doubt("ways to root", p.Doors.State, p.Doors.Source, p.Doors.Reason)
	doubt("what root runs", p.RootRuns.State, p.RootRuns.Source, p.RootRuns.Reason)
	doubt("descriptors", p.Open.State, p.Open.Source, p.Open.Reason)
	doubt("terminals", p.Terminals.State, p.Terminals.Source, p.Terminals.Reason)
	if p.needsTyping() {
		doubt("who may type into a terminal", p.Typing.State, p.Typing.Source, p.Typing.Reason)
	}
	for _, o := range p.Open.Value {
		if o.Door == nil {
			fd := fmt.Sprintf("fd/%d", o.FD)
			doubt("io_uring "+fd, facts.Unreadable, p.source(fd), "the kernel does not say whose credentials it keeps")
		}
	}
	for _, d := range p.Doors.Value {
		switch who := "who may " + verb(d) + " " + d.Path; {
		case p.IsRoot():
		case d.Unsure != "":
			if slices.ContainsFunc(p.threads(), func(t Thread) bool { _, open := d.opens(t); return open }) {
				doubt("whether it sees "+d.Path, facts.Unreadable, p.source("root"), d.Unsure)
			}
		case d.asks():
			doubt(who, facts.Unreadable, "stat", "polkit may decide it")
		case d.ACL && d.lets(3):
			doubt(who, facts.Unreadable, "getxattr system.posix_acl_access", "it has an access control list")
		}
	}
	f.Summary = "could not read: " + strings.Join(what, ", ")
	return f, len(what) > 0
}

// needsStart reports whether the threshold decides over a finding: it listens on
// some port on every address.
func (p Process) needsStart() bool {
	return len(p.Listens.Value) > 1 && slices.ContainsFunc(p.Listens.Value, func(l Listen) bool { return l.Addr.Addr().IsUnspecified() })
}
