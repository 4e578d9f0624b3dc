package audit

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/internal/explain"
	"github.com/lowport/lowport/internal/machine"
)

// A Finding is one thing that an attacker who has the process could make use of.
type Finding struct {
	ID       string
	Severity Severity
	Summary  string
	Allows   string // what an attacker can do with it
	Helps    string // what ends it
	Evidence []explain.Evidence
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
	setIDExecutable, wayToRoot, replaced, mayGain, extraListener, couldNotTell, portCapability, passedOn, noSeccomp, ownUserNS, securebits,
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

// IsRoot says whether a thread is root, or can become it again.
func (p Process) IsRoot() bool {
	return slices.ContainsFunc(p.threads(), func(t Thread) bool { return t.UIDs.has(0) })
}

// below says that what the process holds counts in a user namespace of its own
// alone. Where that is not known it is taken to count here.
func (p Process) below() bool { return p.UserNS.State == machine.Known && p.UserNS.Value.Below }

// reachable says whether other machines reach a socket of the process.
func (p Process) reachable() bool {
	return slices.ContainsFunc(p.Listens.Value, func(l caps.Listen) bool { return !l.Addr.Addr().Unmap().IsLoopback() })
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

func known(name, value, says, source string) explain.Evidence {
	return explain.Evidence{Name: name, Value: value, Source: source, State: machine.Known.String(), Says: says}
}

// set is the evidence of one of the five sets, as the threads together have it.
func (p Process) set(name string, pick func(caps.State) caps.Set, says string) explain.Evidence {
	s := p.union(pick)
	return known(name, s.Hex(), name+" "+s.Hex()+says, p.source("status"))
}

func (p Process) uids() explain.Evidence {
	var worst IDs
	for i, t := range p.threads() {
		if i == 0 || t.UIDs.has(0) && !worst.has(0) {
			worst = t.UIDs
		}
	}
	value := fmt.Sprintf("%d %d %d %d", worst.Real, worst.Effective, worst.Saved, worst.FS)
	return known("Uid", value, fmt.Sprintf("uid %d, effective %d, saved %d, file system %d", worst.Real, worst.Effective, worst.Saved, worst.FS), p.source("status"))
}

func (p Process) nnp() explain.Evidence {
	for _, t := range p.threads() {
		if !t.NoNewPrivs {
			return known("NoNewPrivs", "0", "NoNewPrivs 0: execve may grant more", p.source("status"))
		}
	}
	return known("NoNewPrivs", "1", "NoNewPrivs 1: execve grants nothing new", p.source("status"))
}

func (p Process) sockets() (all []explain.Evidence) {
	for _, l := range p.Listens.Value {
		says := "listens on " + l.Network + " " + l.Addr.String()
		all = append(all, known("socket", l.Network+" "+l.Addr.String(), says, p.source("net/"+l.Network)))
	}
	return all
}

func root(p Process) (Finding, bool) {
	if !p.IsRoot() {
		return Finding{}, false
	}
	f := Finding{ID: "root", Severity: p.exposed(), Evidence: []explain.Evidence{p.uids()}}
	held := p.union(permitted)
	acts := slices.ContainsFunc(p.threads(), func(t Thread) bool { return t.UIDs.Effective == 0 || t.UIDs.FS == 0 })
	switch {
	case amounting(held) != 0:
		f.Summary = "it is root, with " + count(held)
		f.Allows = allows(amounting(held))
		f.Evidence = append(f.Evidence, p.set("CapPrm", permitted, ""))
	case acts:
		f.Summary = "it is root without capabilities: the files of root are its own"
		f.Evidence = append(f.Evidence, p.set("CapPrm", permitted, ""))
	default:
		f.Summary = "it can become root again"
	}
	if p.reachable() {
		f.Evidence = append(f.Evidence, p.sockets()...)
	}
	return f, true
}

// count says how many capabilities a set has, or which, where they are few.
func count(s caps.Set) string {
	if s.Len() > 3 {
		return strconv.Itoa(s.Len()) + " capabilities"
	}
	return strings.ReplaceAll(s.String(), ",", ", ")
}

func rootCapability(p Process) (Finding, bool) {
	s := amounting(p.union(permitted))
	if s == 0 || p.IsRoot() || p.below() {
		return Finding{}, false
	}
	f := Finding{ID: "root-capability", Severity: p.exposed(), Allows: allows(s)}
	f.Summary = "it holds " + count(s) + ", which amounts to root"
	f.Evidence = []explain.Evidence{p.set("CapPrm", permitted, " has "+count(s)), p.set("CapEff", effective, ""), p.uids()}
	if p.reachable() {
		f.Evidence = append(f.Evidence, p.sockets()...)
	}
	return f, true
}

func otherCapability(p Process) (Finding, bool) {
	s := p.union(permitted)
	s &^= amounting(s) | port
	if s == 0 || p.IsRoot() || p.below() {
		return Finding{}, false
	}
	return Finding{ID: "other-capability", Severity: Medium, Summary: "it holds " + count(s), Allows: allows(s),
		Evidence: []explain.Evidence{p.set("CapPrm", permitted, " has "+count(s))}}, true
}

func portCapability(p Process) (Finding, bool) {
	if p.union(permitted)&port == 0 || p.IsRoot() || p.below() {
		return Finding{}, false
	}
	return Finding{ID: "port-capability", Severity: Note, Summary: "it still holds cap_net_bind_service",
		Evidence: []explain.Evidence{p.set("CapPrm", permitted, " has cap_net_bind_service")}}, true
}

func passedOn(p Process) (Finding, bool) {
	s := p.union(ambient)
	if s == 0 || p.IsRoot() || p.below() {
		return Finding{}, false
	}
	return Finding{ID: "passed-on", Severity: Note, Summary: "programs that it starts hold " + count(s) + " too",
		Evidence: []explain.Evidence{p.set("CapAmb", ambient, " has "+count(s))}}, true
}

// threadsDiffer compares what the kernel keeps by thread.
func threadsDiffer(p Process) (Finding, bool) {
	tids := slices.Sorted(maps.Keys(p.Threads.Value))
	var odd []int
	for _, tid := range tids {
		if p.Threads.Value[tid] != p.Threads.Value[tids[0]] {
			odd = append(odd, tid)
		}
	}
	if len(odd) == 0 {
		return Finding{}, false
	}
	first := p.Threads.Value[tids[0]]
	f := Finding{ID: "threads-differ", Severity: Medium, Summary: fmt.Sprintf("%d of its %d threads differ from the first", len(odd), len(tids))}
	for _, tid := range odd {
		if t := p.Threads.Value[tid]; !alike(t, first) {
			f.Severity = High
		}
	}
	for i, tid := range append([]int{tids[0]}, odd...) {
		if i > 3 {
			break // the others are of the kind
		}
		t, than := p.Threads.Value[tid], first
		if i == 0 {
			than = p.Threads.Value[odd[0]]
		}
		f.Evidence = append(f.Evidence, known("thread "+strconv.Itoa(tid), t.differs(than), "thread "+strconv.Itoa(tid)+": "+t.differs(than), p.source("task/"+strconv.Itoa(tid)+"/status")))
	}
	return f, true
}

// alike says whether two threads differ in their bounding sets at most, which give
// nothing by themselves.
func alike(t, u Thread) bool {
	t.Bounding = u.Bounding
	return t == u
}

// differs says what of a thread is not as in another one.
func (t Thread) differs(u Thread) string {
	var words []string
	note := func(differ bool, format string, args ...any) {
		if differ {
			words = append(words, fmt.Sprintf(format, args...))
		}
	}
	note(t.Permitted != u.Permitted, "CapPrm %s", t.Permitted.Hex())
	note(t.Effective != u.Effective, "CapEff %s", t.Effective.Hex())
	note(t.Inheritable != u.Inheritable, "CapInh %s", t.Inheritable.Hex())
	note(t.Ambient != u.Ambient, "CapAmb %s", t.Ambient.Hex())
	note(t.Bounding != u.Bounding, "CapBnd %s", t.Bounding.Hex())
	note(t.NoNewPrivs != u.NoNewPrivs, "NoNewPrivs %t", t.NoNewPrivs)
	note(t.Seccomp != u.Seccomp, "seccomp %v", t.Seccomp)
	note(t.UIDs != u.UIDs, "Uid %d %d %d %d", t.UIDs.Real, t.UIDs.Effective, t.UIDs.Saved, t.UIDs.FS)
	note(t.GIDs != u.GIDs, "Gid %d %d %d %d", t.GIDs.Real, t.GIDs.Effective, t.GIDs.Saved, t.GIDs.FS)
	note(t.Groups != u.Groups, "groups %s", t.Groups)
	return strings.Join(words, ", ")
}

// mayGain: what execve(2) of a set-user-ID program or one with file capabilities
// adds, no_new_privs alone prevents: an empty bounding set stops no uid.
func mayGain(p Process) (Finding, bool) {
	free := slices.ContainsFunc(p.threads(), func(t Thread) bool {
		return !t.NoNewPrivs && !(t.UIDs.Effective == 0 && t.Permitted.Contains(t.Bounding) && t.Bounding != 0)
	})
	if !free {
		return Finding{}, false
	}
	return Finding{ID: "may-gain", Severity: Medium, Summary: "programs that it starts may gain privileges",
		Evidence: []explain.Evidence{p.nnp(), p.set("CapBnd", bounding, "")}}, true
}

func noSeccomp(p Process) (Finding, bool) {
	for _, t := range p.threads() {
		if t.Seccomp == caps.SeccompDisabled {
			return Finding{ID: "no-seccomp", Severity: Note, Summary: "no filter limits its system calls",
				Evidence: []explain.Evidence{known("Seccomp", "0", "Seccomp 0: disabled", p.source("status"))}}, true
		}
	}
	return Finding{}, false
}

func ownUserNS(p Process) (Finding, bool) {
	if !p.below() {
		return Finding{}, false
	}
	held := p.union(permitted)
	f := Finding{ID: "user-namespace", Severity: Note, Summary: "it lives in a user namespace of its own"}
	f.Evidence = []explain.Evidence{known("user namespace", p.UserNS.Value.Name, p.UserNS.Value.Name+" is below the reader's", p.UserNS.Source)}
	if held != 0 {
		f.Summary += ": its " + count(held) + " count there alone"
		f.Evidence = append(f.Evidence, p.set("CapPrm", permitted, ""))
	}
	if m, ok := p.UIDMap.Is(); ok {
		f.Evidence = append(f.Evidence, known("uid_map", m, fmt.Sprintf("uid_map %q", m), p.UIDMap.Source))
	}
	return f, true
}

func securebits(p Process) (Finding, bool) {
	b, ok := p.Securebits.Is()
	if b &= caps.KeepCaps | caps.NoSetuidFixup; !ok || b == 0 {
		return Finding{}, false
	}
	return Finding{ID: "securebits", Severity: Note, Summary: "a change of its uid takes no capabilities away",
		Evidence: []explain.Evidence{known("securebits", b.String(), "securebits "+b.String(), p.Securebits.Source)}}, true
}

func extraListener(p Process) (Finding, bool) {
	start, ok := p.PortStart.Is()
	if !ok {
		return Finding{}, false
	}
	low := func(l caps.Listen) bool { return int(l.Addr.Port()) < start }
	if !slices.ContainsFunc(p.Listens.Value, low) {
		return Finding{}, false
	}
	f := Finding{ID: "extra-listener", Severity: Medium}
	var ports []string
	for i, e := range p.sockets() {
		l := p.Listens.Value[i]
		if l.Network == "tcp" && !low(l) && l.Addr.Addr().IsUnspecified() {
			f.Evidence, ports = append(f.Evidence, e), append(ports, strconv.Itoa(int(l.Addr.Port())))
		}
	}
	if len(ports) == 0 {
		return Finding{}, false
	}
	f.Summary = "beside its low port it listens on " + strings.Join(slices.Compact(ports), ", ") + " on every address"
	return f, true
}

func wayToRoot(p Process) (Finding, bool) {
	f := Finding{ID: "way-to-root", Severity: Medium}
	if p.IsRoot() {
		return f, false
	}
	seen := map[string]bool{}
	for _, t := range p.threads() {
		for _, d := range p.Doors.Value {
			whose, open := d.opens(t)
			if !open || seen[d.Path+d.Allows] {
				continue
			}
			seen[d.Path+d.Allows] = true
			if d.Root {
				f.Severity = High
			}
			if f.Summary == "" || d.Root && !strings.Contains(f.Summary, "root") {
				f.Summary = whose + " may " + verb(d) + " " + explain.Show(d.Path)
				f.Allows = d.Allows
			}
			f.Evidence = append(f.Evidence, known("mode of "+d.Path, fmt.Sprintf("%#o %d:%d", d.Mode&0o7777, d.UID, d.GID),
				fmt.Sprintf("%s is %#o %d:%d: %s may %s it", explain.Show(d.Path), d.Mode&0o7777, d.UID, d.GID, whose, verb(d)), "stat"))
		}
	}
	if f.Summary == "" {
		return f, false
	}
	t := p.threads()[0]
	f.Evidence = append(f.Evidence, known("Groups", t.Groups, fmt.Sprintf("uid %d, gid %d, groups %q", t.UIDs.FS, t.GIDs.FS, t.Groups), p.source("status")))
	return f, true
}

func verb(d Door) string {
	if d.Need == 2 {
		return "write"
	}
	return "read"
}
