package remedy

import (
	"slices"
	"strings"

	"github.com/lowport/lowport/guard/report"
	"github.com/lowport/lowport/internal/facts"
	"github.com/lowport/lowport/internal/rules"
)

// A candidate is a fix that may or may not help here.
type candidate struct {
	report.Fix
	change func(facts.Facts) facts.Facts // what the machine is like afterwards
}

// Fixes returns what helps, best first: what fits the way this process was
// started, then the smaller scope. Where no single change is enough, pairs are
// tried. Of several goals a fix reaches all.
func Fixes(f facts.Facts, goals ...rules.Goal) []report.Fix {
	all := candidates(f, goals...)
	reached := func(f facts.Facts) bool {
		return !slices.ContainsFunc(goals, func(g rules.Goal) bool { return rules.Allows(f, g) != rules.Yes })
	}
	fixes := []report.Fix{}
	if slices.ContainsFunc(goals, func(g rules.Goal) bool { return rules.Allows(f, g) == rules.Yes }) {
		return fixes // what refused is not in the facts, and no change to them would help
	}
	for _, c := range all {
		if reached(c.change(f)) {
			fixes = append(fixes, c.Fix)
		}
	}
	if len(fixes) > 0 {
		return fixes
	}
	for i, a := range all {
		for _, b := range all[i+1:] {
			if reached(b.change(a.change(f))) {
				fixes = append(fixes, join(f, a.Fix, b.Fix))
			}
		}
	}
	return fixes
}

// join makes one fix of two that help only together. What starts the program
// comes last and once: before all else is done it would be refused again.
func join(f facts.Facts, a, b report.Fix) report.Fix {
	scope := b.Scope // the wider one, by the order of the candidates
	if starts(f, a) && !starts(f, b) {
		a, b = b, a
	}
	steps := slices.Clone(a.Steps)
	if n := len(steps) - 1; steps[n] == b.Steps[len(b.Steps)-1] {
		steps = steps[:n]
	}
	return report.Fix{
		ID:      a.ID + "+" + b.ID,
		Scope:   scope,
		Summary: a.Summary + "; then " + b.Summary,
		Lasts:   strings.Join(unique(a.Lasts, b.Lasts), "; "),
		Steps:   append(steps, b.Steps...),
	}
}

// starts says whether a fix ends with a start of the program.
func starts(f facts.Facts, fix report.Fix) bool {
	last := fix.Steps[len(fix.Steps)-1]
	step, ok := again(f)
	return last.Start != "" || ok && last == step
}

func unique(a, b string) []string {
	if a == b {
		return []string{a}
	}
	return []string{a, b}
}
