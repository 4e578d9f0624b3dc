package ask

import (
	"io/fs"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/guard/report"
	"github.com/lowport/lowport/internal/explain"
	"github.com/lowport/lowport/internal/facts"
	"github.com/lowport/lowport/internal/rules"
)

// Require decides over the facts of a machine.
func Require(need caps.Set, f facts.Facts) error {
	g := rules.Goal{Require: need}
	if rules.Allows(f, g) == rules.Yes {
		return nil
	}
	subject := "require " + g.Require.String()
	err := &notHeld{g.Require}
	return &report.Error{Report: Refusal(subject, subject+": not held", err, explain.Require(f, g), f, g), Err: err}
}

// notHeld is the plain error of a capability that does not hold.
type notHeld struct{ set caps.Set }

func (e *notHeld) Error() string { return e.set.String() + ": not effective" }
func (e *notHeld) Unwrap() error { return fs.ErrPermission }
