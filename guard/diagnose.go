package guard

import (
	"errors"
	"syscall"

	"github.com/lowport/lowport/internal/facts"
	"github.com/lowport/lowport/internal/kernel"
	"github.com/lowport/lowport/internal/remedy"
)

// refusal makes the report of what was found, with the fixes that the rules
// allow.
func refusal(subject, headline string, err error, found kernel.Finding, f facts.Facts, cases ...remedy.Case) Report {
	r := success(subject, "")
	r.OK, r.Error, r.headline = false, kernel.Show(err.Error()), headline
	r.sudo = !remedy.Root(&f)
	var errno syscall.Errno
	if errors.As(err, &errno) {
		r.Errno = kernel.ErrnoName(errno)
	}
	for _, c := range found.Causes {
		r.Causes = append(r.Causes, Cause{ID: c.ID, Certainty: string(c.Certainty), Summary: c.Summary, Detail: c.Detail})
	}
	for _, e := range found.Evidence {
		r.Facts = append(r.Facts, Fact{Name: e.Name, Value: kernel.Show(e.Value), Source: e.Source, State: e.State, says: e.Says})
	}
	for _, fix := range remedy.Fixes(cases...) {
		r.Fixes = append(r.Fixes, shown(fix))
	}
	r.Unhelpful = append(r.Unhelpful, found.Unhelpful...)
	return r
}

func success(subject, via string) Report {
	return Report{Subject: subject, OK: true, Via: via, Causes: []Cause{}, Facts: []Fact{}, Gates: []Gate{}, Fixes: []Fix{}, Unhelpful: []string{}, Notes: []string{}}
}

// unexplained is the report of an error that nobody explains.
func unexplained(subject string, err error) Report {
	r := success(subject, "")
	r.OK, r.Error = false, kernel.Show(err.Error())
	return r
}

// shown is a fix as reports have it.
func shown(fix remedy.Fix) Fix {
	out := Fix{ID: fix.ID, Scope: fix.Scope, Summary: fix.Summary, Lasts: fix.Lasts}
	for _, s := range fix.Steps {
		out.Steps = append(out.Steps, Step(s))
	}
	return out
}
