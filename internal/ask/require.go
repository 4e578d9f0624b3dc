package ask

import (
	"io/fs"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/guard/report"
	"github.com/lowport/lowport/internal/facts"
	"github.com/lowport/lowport/internal/kernel"
	"github.com/lowport/lowport/internal/remedy"
)

// Require decides over the facts of a machine.
func Require(need caps.Set, f facts.Facts) error {
	g := kernel.Goal{Require: need}
	if kernel.Allows(kernel.Worlds(&f, g), g) == kernel.Yes {
		return nil
	}
	found := kernel.Explain(&f, g, nil)
	subject := "require " + g.Require.String()
	err := &notHeld{g.Require}
	return &report.Error{Report: Refusal(subject, subject+": not held", err, found, f, remedy.Case{Goal: g, Worlds: found.Worlds}), Err: err}
}

// notHeld is the plain error of a capability that does not hold.
type notHeld struct{ set caps.Set }

func (e *notHeld) Error() string { return e.set.String() + ": not effective" }
func (e *notHeld) Unwrap() error { return fs.ErrPermission }
