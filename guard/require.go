package guard

import (
	"errors"
	"fmt"
	"io/fs"
	"runtime"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/internal/facts"
	"github.com/lowport/lowport/internal/kernel"
	"github.com/lowport/lowport/internal/live"
	"github.com/lowport/lowport/internal/remedy"
)

// Require returns nil if every named capability is effective on every thread of
// this process, and counts where it will be used: the network ones only in the
// user namespace that owns the network namespace. Otherwise, or where that
// cannot be told, the error is an *[Error] that wraps [fs.ErrPermission]; off
// Linux it wraps [errors.ErrUnsupported].
//
// For a port, [Bind] needs no Require: it raises what is merely permitted.
func Require(need ...caps.Cap) error {
	if runtime.GOOS != "linux" {
		return fmt.Errorf("capabilities on %s: %w", runtime.GOOS, errors.ErrUnsupported)
	}
	return require(caps.SetOf(need...), live.Read().Facts())
}

// require decides over the facts of a machine.
func require(need caps.Set, f facts.Facts) error {
	g := kernel.Goal{Require: need}
	if kernel.Allows(kernel.Worlds(&f, g), g) == kernel.Yes {
		return nil
	}
	found := kernel.Explain(&f, g, nil)
	subject := "require " + g.Require.String()
	err := &notHeld{g.Require}
	return &Error{Report: refusal(subject, subject+": not held", err, found, f, remedy.Case{Goal: g, Worlds: found.Worlds}), Err: err}
}

// MustRequire is Require for a main function: where it fails the report goes to
// standard error and the program exits with 77.
func MustRequire(need ...caps.Cap) { must(Require(need...)) }

// notHeld is the plain error of a capability that does not hold.
type notHeld struct{ set caps.Set }

func (e *notHeld) Error() string { return e.set.String() + ": not effective" }
func (e *notHeld) Unwrap() error { return fs.ErrPermission }
