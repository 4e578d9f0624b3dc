package ask

import (
	"errors"
	"syscall"

	"github.com/lowport/lowport/guard/report"
	"github.com/lowport/lowport/internal/errnos"
	"github.com/lowport/lowport/internal/facts"
	"github.com/lowport/lowport/internal/kernel"
	"github.com/lowport/lowport/internal/remedy"
	"github.com/lowport/lowport/internal/term"
)

// Refusal makes the report of what was found, with the fixes that the rules
// allow.
func Refusal(subject, headline string, err error, found kernel.Finding, f facts.Facts, cases ...remedy.Case) report.Report {
	r := Success(subject, "")
	r.OK, r.Error, r.Headline = false, term.Show(err.Error()), headline
	r.Sudo = !remedy.Bare(&f)
	var errno syscall.Errno
	if errors.As(err, &errno) {
		r.Errno = errnos.Name(errno)
	}
	r.Causes = append(r.Causes, found.Causes...)
	for _, e := range found.Evidence {
		e.Value = term.Show(e.Value)
		r.Facts = append(r.Facts, e)
	}
	r.Fixes = append(r.Fixes, remedy.Fixes(cases...)...)
	if !r.Sudo && !remedy.Root(&f) && len(r.Fixes) > 0 {
		r.Notes = append(r.Notes, "no sudo is installed here: the commands are for a shell of root")
	}
	r.Unhelpful = append(r.Unhelpful, found.Unhelpful...)
	return r
}

func Success(subject, via string) report.Report {
	return report.Report{Subject: subject, OK: true, Via: via, Causes: []report.Cause{}, Facts: []report.Fact{}, Gates: []report.Gate{}, Fixes: []report.Fix{}, Unhelpful: []string{}, Notes: []string{}}
}

// Unexplained is the report of an error that nobody explains.
func Unexplained(subject string, err error) report.Report {
	r := Success(subject, "")
	r.OK, r.Error = false, term.Show(err.Error())
	return r
}
