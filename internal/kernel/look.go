package kernel

import (
	"fmt"
	"slices"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/guard/report"
	"github.com/lowport/lowport/internal/facts"
	"github.com/lowport/lowport/internal/term"
)

// A look collects the evidence of a finding: the facts that decided between the worlds, and
// those that would have decided but could not be read.
type look struct {
	f    *facts.Facts
	g    Goal
	w    World // the likeliest
	open bool  // some world allows the goal
	err  error // of the bind
	seen []report.Fact
}

// see adds a fact to the evidence, once under each name. value prints the fact and says
// returns what it means; neither is called for a fact that is not known.
func see[T any](l *look, name string, fact facts.Fact[T], value, says func(T) string) {
	e := report.Fact{Name: name, Source: fact.Source, State: fact.State.String(), Value: fact.Reason}
	if fact.State == facts.Known && !l.saw(name) {
		e.Value, e.Says = value(fact.Value), says(fact.Value)
	}
	l.add(e)
}

func (l *look) saw(name string) bool {
	return slices.ContainsFunc(l.seen, func(old report.Fact) bool { return old.Name == name })
}

// add adds a fact unless one of that name was added before.
func (l *look) add(e report.Fact) {
	switch {
	case l.saw(e.Name):
		return
	case e.State == facts.Absent.String():
		e.Value, e.Says = "none", e.Name+": none"
	case e.State == facts.Unreadable.String():
		e.Says = e.Name + ": could not tell (" + term.Show(e.Value) + ")"
	}
	l.seen = append(l.seen, e)
}

// doubt adds a fact only if it was unreadable.
func doubt[T any](l *look, name string, fact facts.Fact[T]) {
	if fact.State == facts.Unreadable {
		see(l, name, fact, nil, nil)
	}
}

// has says whether a set has what the goal needs.
func (l *look) has(s caps.Set) string {
	if s.Contains(l.g.Need()) {
		return "has " + l.g.Need().String()
	}
	return "lacks " + (l.g.Need() &^ s).String()
}

// set adds one of the thread's five sets, under its name in status.
func (l *look) set(name string, pick func(caps.State) caps.Set) {
	see(l, name, l.f.Proc.Thread,
		func(s caps.State) string { return pick(s).Hex() },
		func(s caps.State) string { return name + " " + pick(s).Hex() + " " + l.has(pick(s)) })
}

func effective(s caps.State) caps.Set   { return s.Effective }
func permitted(s caps.State) caps.Set   { return s.Permitted }
func bounding(s caps.State) caps.Set    { return s.Bounding }
func inheritable(s caps.State) caps.Set { return s.Inheritable }

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

// when returns a function for see: it returns text for a fact that is true, else "".
func when(text string) func(bool) string {
	return func(is bool) string {
		if is {
			return text
		}
		return ""
	}
}

// fileText prints file capabilities as `getcap -n` does.
func fileText(c caps.File) string {
	if c.Version == 3 {
		return fmt.Sprintf("%v [rootid=%d]", c, c.RootID)
	}
	return c.String()
}
