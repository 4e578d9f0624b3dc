//go:build linux

package dice

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// errNotExecuted is in the error where all but the program was started.
var errNotExecuted = errors.New("the program is not executed")

// foretold compares each prediction with what then happens (g). It reports whether there was one,
// and whether one said that it could not tell.
func (p *place) foretold() (wrong []Wrong, any, untold bool, err error) {
	for i, script := range p.plan.Foretell {
		said, err := p.shell(script)
		if err != nil && !errors.Is(err, errUnmade) {
			return nil, any, untold, err
		}
		if err != nil && said.Said.Failed == "" {
			continue // the predictor itself is not started
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
		if err != nil && came.Said.Failed == "" {
			shown = "not executed"
		}
		if foretold := said.story(); foretold != shown && !came.mayBe(foretold) && (err == nil || foretold != "exec-refused") {
			wrong = append(wrong, Wrong{'g', "before the start " + foretold + " " + said.Said.Failed, fmt.Sprintf("it was %s (%s)", shown, strings.TrimSpace(then))})
		}
	}
	return wrong, any, untold, nil
}

// mayBe reports whether the first cause is only possible, and another one of them is this.
func (o Outcome) mayBe(cause string) bool {
	all := o.Report.Causes
	return len(all) > 0 && all[0].Certainty == "possible" && slices.Contains(o.Report.ids(), cause)
}

// story is how a bind went, or why it was refused.
func (o Outcome) story() string {
	if o.Bound {
		return "allowed"
	}
	if o.Said.Failed != "" {
		return "not executed"
	}
	if len(o.Report.Causes) == 0 {
		return "refused without a cause"
	}
	return o.Report.Causes[0].ID
}
