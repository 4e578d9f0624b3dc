package guard

import (
	"errors"
	"syscall"

	"github.com/lowport/lowport/internal/facts"
	"github.com/lowport/lowport/internal/kernel"
	"github.com/lowport/lowport/internal/remedy"
	"github.com/lowport/lowport/internal/term"
)

// refusal makes the report of what was found, with the fixes that the rules
// allow.
func refusal(subject, headline string, err error, found kernel.Finding, f facts.Facts, cases ...remedy.Case) Report {
	r := success(subject, "")
	r.OK, r.Error, r.Headline = false, term.Show(err.Error()), headline
	r.Sudo = !remedy.Root(&f)
	var errno syscall.Errno
	if errors.As(err, &errno) {
		r.Errno = kernel.ErrnoName(errno)
	}
	r.Causes = append(r.Causes, found.Causes...)
	for _, e := range found.Evidence {
		e.Value = term.Show(e.Value)
		r.Facts = append(r.Facts, e)
	}
	r.Fixes = append(r.Fixes, remedy.Fixes(cases...)...)
	r.Unhelpful = append(r.Unhelpful, found.Unhelpful...)
	return r
}

func success(subject, via string) Report {
	return Report{Subject: subject, OK: true, Via: via, Causes: []Cause{}, Facts: []Fact{}, Gates: []Gate{}, Fixes: []Fix{}, Unhelpful: []string{}, Notes: []string{}}
}

// unexplained is the report of an error that nobody explains.
func unexplained(subject string, err error) Report {
	r := success(subject, "")
	r.OK, r.Error = false, term.Show(err.Error())
	return r
}
