package report

import (
	"fmt"
	"log/slog"

	"github.com/lowport/lowport/internal/exit"
)

// An Error is a refusal with its report. It wraps the error that the kernel or
// the address gave, a *net.OpError for a bind.
type Error struct {
	Report
	Err error // the plain error
}

// Error returns one line: what failed, the first cause, and the command of the first fix.
// So a program that wraps it with %v, or a log that prints it, says what to do.
func (e *Error) Error() string {
	if fix := e.fixLine(); fix != "" {
		return e.line() + "; fix: " + fix
	}
	return e.line()
}

// Unwrap returns the plain error.
func (e *Error) Unwrap() error { return e.Err }

// Format prints the whole report for %+v, and the one line otherwise.
func (e *Error) Format(s fmt.State, verb rune) {
	switch {
	case verb == 'v' && s.Flag('+'):
		fmt.Fprint(s, e.Report.String())
	case verb == 'q':
		fmt.Fprintf(s, "%q", e.Error())
	default:
		fmt.Fprint(s, e.Error())
	}
}

// LogValue returns the report as a group for [log/slog].
func (e *Error) LogValue() slog.Value { return e.Report.LogValue() }

// String returns the report as text.
func (e *Error) String() string { return e.Report.String() }

// ExitCode returns the status that the Must functions exit with: 77 for a
// permission, 64 for a malformed address, 69 for an address that cannot be had.
func (e *Error) ExitCode() int {
	if len(e.Causes) == 0 || e.Causes[0].Exit == 0 {
		return exit.NoPerm
	}
	return e.Causes[0].Exit
}
