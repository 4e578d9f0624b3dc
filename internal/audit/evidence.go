package audit

import (
	"fmt"
	"strings"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/guard/report"
	"github.com/lowport/lowport/internal/facts"
	"github.com/lowport/lowport/internal/term"
)

// Holds is what some thread may make effective.
func (p Process) Holds() caps.Set { return p.union(permitted) }

// Evidence is all that was read, in the order of /proc/PID/status and then of the
// program's file. Of sets the union over the threads is shown: a finding says
// where they differ.
func Evidence(p Process) []report.Fact {
	var all []report.Fact
	if p.Threads.State == facts.Known {
		all = append(all, known("threads", fmt.Sprint(len(p.Threads.Value)), fmt.Sprintf("threads: %d", len(p.Threads.Value)), p.Threads.Source))
		for _, s := range []struct {
			name string
			pick func(caps.State) caps.Set
		}{{"CapInh", inheritable}, {"CapPrm", permitted}, {"CapEff", effective}, {"CapBnd", bounding}, {"CapAmb", ambient}} {
			says := ""
			if set := p.union(s.pick); set != 0 && set.Len() < 3 {
				says = " " + set.String()
			}
			all = append(all, p.set(s.name, s.pick, says))
		}
		t := p.threads()[0]
		all = append(all, p.nnp(), known("Seccomp", t.Seccomp.String(), "seccomp: "+t.Seccomp.String(), p.source("status")), p.uids(),
			known("Groups", t.Groups, strings.TrimSpace(fmt.Sprintf("gid %d, groups %s", t.GIDs.Effective, t.Groups)), p.source("status")))
	} else {
		all = append(all, report.Fact{Name: "threads", Value: p.Threads.Reason, Source: p.Threads.Source, State: p.Threads.State.String()})
	}
	all = append(all, tell("user namespace", p.UserNS, func(u UserNS) string { return u.Name }))
	all = append(all, tell("program", p.Path, term.Show))
	all = append(all, tell("file capabilities", p.Exe.Caps, caps.File.String))
	all = append(all, tell("file mode", p.Exe.Stat, func(s facts.Stat) string { return fmt.Sprintf("%#o %d:%d", s.Mode&0o7777, s.UID, s.GID) }))
	all = append(all, tell("port threshold", p.PortStart, func(n int) string { return fmt.Sprint(n) }))
	if p.Listens.State == facts.Known {
		return append(all, p.sockets()...)
	}
	return append(all, tell("sockets", p.Listens, func([]Listen) string { return "" }))
}

// tell is the evidence of one fact.
func tell[T any](name string, f facts.Fact[T], show func(T) string) report.Fact {
	e := report.Fact{Name: name, Source: f.Source, State: f.State.String()}
	switch f.State {
	case facts.Known:
		e.Value = show(f.Value)
		e.Says = name + ": " + e.Value
	case facts.Absent:
		e.Value, e.Says = "none", name+": none"
	default:
		e.Value, e.Says = f.Reason, name+": could not tell ("+term.Show(f.Reason)+")"
	}
	return e
}
