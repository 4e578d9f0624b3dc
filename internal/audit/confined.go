package audit

import (
	"fmt"
	"slices"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/guard/report"
)

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
		Evidence: []report.Fact{p.nnp(), p.set("CapBnd", bounding, "")}}, true
}

func noSeccomp(p Process) (Finding, bool) {
	for _, t := range p.threads() {
		if t.Seccomp == caps.SeccompDisabled {
			return Finding{ID: "no-seccomp", Severity: Note, Summary: "no filter limits its system calls",
				Evidence: []report.Fact{known("Seccomp", "0", "Seccomp 0: disabled", p.source("status"))}}, true
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
	f.Evidence = []report.Fact{known("user namespace", p.UserNS.Value.Name, p.UserNS.Value.Name+" is below the reader's", p.UserNS.Source)}
	if held != 0 && p.counting() == 0 {
		f.Summary += ": its " + count(held) + " count there, for the ids that it maps"
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
		Evidence: []report.Fact{known("securebits", b.String(), "securebits "+b.String(), p.Securebits.Source)}}, true
}
