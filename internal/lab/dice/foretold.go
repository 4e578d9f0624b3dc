//go:build linux

package dice

import (
	"errors"
	"fmt"
	"strings"
)

// errNotExecuted is in the error where all but the program was started.
var errNotExecuted = errors.New("the program is not executed")

// foretold compares each prediction with what then happens (g). It reports whether there was one,
// and whether one said that it could not tell.
func (p *place) foretold() (wrong []Wrong, any, untold bool, err error) {
	for i, script := range p.plan.Foretell {
		said, err := p.shell(script)
		if errors.Is(err, errUnmade) {
			if strings.Contains(err.Error(), "0 reports") {
				continue // the predictor itself is not started
			}
			wrong = append(wrong, Wrong{'g', "no prediction", err.Error()})
			continue
		}
		if err != nil {
			return nil, any, untold, err
		}
		any = true
		if said.story() == "unknown" {
			untold = true
			continue
		}
		then := p.plan.Start
		if i == 0 {
			then = p.plan.Behind
		}
		came, err := p.shell(then)
		if err != nil && !errors.Is(err, errUnmade) {
			return nil, any, untold, err
		}
		shown := came.story()
		if err != nil {
			shown = "not executed"
		}
		if foretold := said.story(); foretold != shown && !(err != nil && strings.HasPrefix(foretold, "exec-refused")) {
			wrong = append(wrong, Wrong{'g', "before the start " + foretold, fmt.Sprintf("it was %s (%s)", shown, strings.TrimSpace(then))})
		}
	}
	return wrong, any, untold, nil
}

// story is how a bind went, or why it was refused.
func (o Outcome) story() string {
	if o.Bound {
		return "allowed"
	}
	if len(o.Report.Causes) == 0 {
		return "refused without a cause"
	}
	return o.Report.Causes[0].ID
}
