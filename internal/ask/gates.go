package ask

import (
	"slices"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/guard/report"
	"github.com/lowport/lowport/internal/facts"
	"github.com/lowport/lowport/internal/kernel"
	"github.com/lowport/lowport/internal/remedy"
)

// shows puts into the report what a person would want to see of the decision
// itself: the five sets and the gates.
func shows(r *report.Report, f facts.Facts, c remedy.Case) {
	r.Facts, r.Gates = withSets(r.Facts, f), gates(c)
}

// gates are those that the path to a goal leads through.
func gates(c remedy.Case) []report.Gate {
	var all []report.Gate
	for _, s := range kernel.Walk(c.Worlds, c.Goal) {
		answer := map[kernel.Answer]string{kernel.Yes: "yes", kernel.No: "no", kernel.Unknown: "could not tell"}[s.Answer]
		all = append(all, report.Gate{Name: s.Name, Question: s.Question, Answer: answer})
	}
	return all
}

// withSets adds to the evidence those of the thread's five sets that it does not
// have yet.
func withSets(all []report.Fact, f facts.Facts) []report.Fact {
	state, known := f.Proc.Thread.Is()
	for _, set := range []struct {
		name string
		set  caps.Set
	}{
		{"CapInh", state.Inheritable}, {"CapPrm", state.Permitted}, {"CapEff", state.Effective},
		{"CapBnd", state.Bounding}, {"CapAmb", state.Ambient},
	} {
		if slices.ContainsFunc(all, func(has report.Fact) bool { return has.Name == set.name }) {
			continue
		}
		fact := report.Fact{Name: set.name, Source: f.Proc.Thread.Source, State: "unreadable"}
		if known {
			fact.Value, fact.State = set.set.Hex(), "known"
		}
		all = append(all, fact)
	}
	return all
}
