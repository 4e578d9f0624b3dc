package ask

import (
	"io/fs"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/guard/report"
	"github.com/lowport/lowport/internal/facts"
	"github.com/lowport/lowport/internal/kernel"
	"github.com/lowport/lowport/internal/remedy"
)

// Holds reports whether the facts tell that every thread has what is needed. Fewer facts
// leave more worlds, so what holds by some of them holds by all.
func Holds(need caps.Set, f facts.Facts) bool {
	g := kernel.Goal{Require: need}
	return kernel.Allows(kernel.Worlds(&f, g), g) == kernel.Yes
}

// Require decides over the facts of a machine.
func Require(need caps.Set, f facts.Facts) error {
	if Holds(need, f) {
		return nil
	}
	g := kernel.Goal{Require: need}
	found := kernel.Explain(&f, g, nil)
	subject := "require " + g.Require.String()
	err := &notHeld{g.Require}
	return &report.Error{Report: Refusal(subject, subject+": not held", err, found, f, remedy.Case{Goal: g, Worlds: found.Worlds}), Err: err}
}

// notHeld is the plain error of a capability that does not hold.
type notHeld struct{ set caps.Set }

func (e *notHeld) Error() string { return e.set.String() + ": not effective" }
func (e *notHeld) Unwrap() error { return fs.ErrPermission }
