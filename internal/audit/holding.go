package audit

import (
	"slices"
	"strconv"
	"strings"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/guard/report"
)

func root(p Process) (Finding, bool) {
	if !p.IsRoot() {
		return Finding{}, false
	}
	f := Finding{ID: "root", Severity: p.exposed(), Evidence: []report.Fact{p.uids()}}
	held := p.union(permitted)
	acts := slices.ContainsFunc(p.threads(), func(t Thread) bool { return t.UIDs.Effective == 0 || t.UIDs.FS == 0 })
	switch {
	case acts && p.below(): // what it holds counts there alone, its uid here
		f.Summary = "it is root in a user namespace of its own: the files of root are its own here too"
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
	s := amounting(p.counting())
	if s == 0 || p.IsRoot() {
		return Finding{}, false
	}
	f := Finding{ID: "root-capability", Severity: p.exposed(), Allows: allows(s)}
	f.Summary = "it holds " + count(s) + ", which amounts to root"
	f.Evidence = []report.Fact{p.set("CapPrm", permitted, " has "+count(s)), p.set("CapEff", effective, ""), p.uids()}
	if p.below() {
		f.Summary += ": its user namespace maps root of the machine"
		f.Evidence = append(f.Evidence, p.maps()...)
	}
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
		Evidence: []report.Fact{p.set("CapPrm", permitted, " has "+count(s))}}, true
}

func portCapability(p Process) (Finding, bool) {
	if p.union(permitted)&port == 0 || p.IsRoot() || p.below() {
		return Finding{}, false
	}
	return Finding{ID: "port-capability", Severity: Note, Summary: "it still holds cap_net_bind_service",
		Evidence: []report.Fact{p.set("CapPrm", permitted, " has cap_net_bind_service")}}, true
}

func passedOn(p Process) (Finding, bool) {
	s := p.union(ambient)
	if s == 0 || p.IsRoot() || p.below() {
		return Finding{}, false
	}
	return Finding{ID: "passed-on", Severity: Note, Summary: "programs that it starts hold " + count(s) + " too",
		Evidence: []report.Fact{p.set("CapAmb", ambient, " has "+count(s))}}, true
}
