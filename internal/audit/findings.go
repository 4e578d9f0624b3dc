package audit

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/guard/report"
	"github.com/lowport/lowport/internal/facts"
)

// A Finding is one thing that an attacker who has the process could make use of.
type Finding struct {
	ID       string
	Severity Severity
	Summary  string
	Allows   string // what an attacker can do with it
	Helps    string // what ends it
	Evidence []report.Fact
}

// Findings says what is to be said about a process, the worst first. It is a pure
// function: the rules are those of capabilities(7), credentials(7) and
// path_resolution(7).
func Findings(p Process) []Finding {
	all := []Finding{}
	for _, rule := range rules {
		if f, ok := rule(p); ok {
			e := catalogue[f.ID]
			f.Helps = e.helps
			if f.Allows == "" {
				f.Allows = e.allows
			}
			all = append(all, f)
		}
	}
	slices.SortStableFunc(all, func(a, b Finding) int { return cmp.Compare(a.Severity.rank(), b.Severity.rank()) })
	return all
}

// Worst is the severity of the worst finding.
func Worst(all []Finding) Severity {
	if len(all) == 0 {
		return None
	}
	return all[0].Severity
}

// rules find one thing each.
var rules = []func(Process) (Finding, bool){
	root, rootCapability, otherCapability, threadsDiffer, writableExecutable, interpreter, fileCapabilities,
	setIDExecutable, wayToRoot, openDoor, sharedTerminal, mappedIDs, replaced, mayGain, extraListener, couldNotTell, portCapability, passedOn, noSeccomp, ownUserNS, securebits,
}

// threads are those of the process in order, none if they are not known.
func (p Process) threads() []Thread {
	var all []Thread
	for _, tid := range slices.Sorted(maps.Keys(p.Threads.Value)) {
		all = append(all, p.Threads.Value[tid])
	}
	return all
}

// union is what some thread has of a set.
func (p Process) union(pick func(caps.State) caps.Set) caps.Set {
	var s caps.Set
	for _, t := range p.threads() {
		s |= pick(t.State)
	}
	return s
}

func permitted(s caps.State) caps.Set   { return s.Permitted }
func effective(s caps.State) caps.Set   { return s.Effective }
func inheritable(s caps.State) caps.Set { return s.Inheritable }
func ambient(s caps.State) caps.Set     { return s.Ambient }
func bounding(s caps.State) caps.Set    { return s.Bounding }

// IsRoot reports whether a thread is root, or can become it again.
func (p Process) IsRoot() bool {
	return slices.ContainsFunc(p.threads(), func(t Thread) bool { return t.UIDs.has(0) })
}

// below says that what the process holds counts in a user namespace of its own
// alone. Where that is not known it is taken to count here.
func (p Process) below() bool { return p.UserNS.State == facts.Known && p.UserNS.Value.Below }

// reachable reports whether other machines reach a socket of the process.
func (p Process) reachable() bool {
	return slices.ContainsFunc(p.Listens.Value, func(l Listen) bool { return !l.Addr.Addr().Unmap().IsLoopback() })
}

// exposed is High, or Critical for a process that the network reaches.
func (p Process) exposed() Severity {
	if p.reachable() {
		return Critical
	}
	return High
}

// source is the path of a file of the process.
func (p Process) source(name string) string { return fmt.Sprintf("/proc/%d/%s", p.PID, name) }

func known(name, value, says, source string) report.Fact {
	return report.Fact{Name: name, Value: value, Source: source, State: facts.Known.String(), Says: says}
}

// set is the evidence of one of the five sets, as the threads together have it.
func (p Process) set(name string, pick func(caps.State) caps.Set, says string) report.Fact {
	s := p.union(pick)
	return known(name, s.Hex(), name+" "+s.Hex()+says, p.source("status"))
}

func (p Process) uids() report.Fact {
	var worst IDs
	for i, t := range p.threads() {
		if i == 0 || t.UIDs.has(0) && !worst.has(0) {
			worst = t.UIDs
		}
	}
	value := fmt.Sprintf("%d %d %d %d", worst.Real, worst.Effective, worst.Saved, worst.FS)
	return known("Uid", value, fmt.Sprintf("uid %d, effective %d, saved %d, file system %d", worst.Real, worst.Effective, worst.Saved, worst.FS), p.source("status"))
}

func (p Process) nnp() report.Fact {
	for _, t := range p.threads() {
		if !t.NoNewPrivs {
			return known("NoNewPrivs", "0", "NoNewPrivs 0: execve may grant more", p.source("status"))
		}
	}
	return known("NoNewPrivs", "1", "NoNewPrivs 1: execve grants nothing new", p.source("status"))
}

func (p Process) sockets() (all []report.Fact) {
	for _, l := range p.Listens.Value {
		says := "listens on " + l.Network + " " + l.Addr.String()
		all = append(all, known("socket", l.Network+" "+l.Addr.String(), says, p.source("net/"+l.Network)))
	}
	return all
}
