package remedy

import (
	"cmp"
	"slices"
	"strings"

	"github.com/lowport/lowport/guard/report"
	"github.com/lowport/lowport/internal/facts"
	"github.com/lowport/lowport/internal/kernel"
)

// A candidate is a fix that may or may not help here.
type candidate struct {
	report.Fix
	change func(kernel.World) kernel.World // what is different once it is done
	byHand bool                            // the operator has to find the place to change; printed only if nothing else helps
}

// A Case is a goal that was refused, and the worlds in which that is possible.
type Case struct {
	Goal   kernel.Goal
	Worlds []kernel.World
}

// Fixes returns what helps in every likeliest world of every case, in the order of candidates.
// If no single change is enough it tries pairs, and then what has to be done by hand.
func Fixes(cases ...Case) []report.Fix {
	fixes := []report.Fix{}
	var goals []kernel.Goal
	for _, c := range cases {
		if len(c.Worlds) == 0 {
			return fixes // nothing is known to help
		}
		goals = append(goals, c.Goal)
	}
	if len(cases) == 0 {
		return fixes
	}
	all := candidates(cases[0].Worlds[0], goals...)
	free := depends(cases)
	for i := range all {
		if all[i].ID != "stop-owner" {
			all[i].Depends = free
		}
	}
	byHand := slices.IndexFunc(all, func(c candidate) bool { return c.byHand })
	if byHand < 0 {
		byHand = len(all)
	}
	for _, some := range [][]candidate{all[:byHand], all} {
		if fixes = helping(cases, goals, some); len(fixes) > 0 {
			break
		}
	}
	return fixes
}

// helping returns the candidates that help, or if none does the pairs that do.
func helping(cases []Case, goals []kernel.Goal, all []candidate) []report.Fix {
	fixes := []report.Fix{}
	for _, c := range all {
		if help(cases, goals, c.Fix) {
			fixes = append(fixes, c.Fix)
		}
	}
	if len(fixes) > 0 {
		return fixes
	}
	f := cases[0].Worlds[0].Facts
	for i, a := range all {
		for _, b := range all[i+1:] {
			if help(cases, goals, a.Fix, b.Fix) {
				fixes = append(fixes, join(f, a.Fix, b.Fix))
			}
		}
	}
	return fixes
}

// help reports whether the fixes together reach the goals. In each likeliest world the same
// fixes, word for word, have to be among the candidates, and their changes allow the bind.
func help(cases []Case, goals []kernel.Goal, fixes ...report.Fix) bool {
	for _, c := range cases {
		for _, w := range kernel.Likeliest(c.Worlds) {
			if _, ok := mayHold(w, c.Goal); ok {
				w.Holder = kernel.Nobody
			}
			here := candidates(w, goals...)
			for _, fix := range fixes {
				i := slices.IndexFunc(here, func(c candidate) bool { return slices.Equal(c.Steps, fix.Steps) })
				if i < 0 {
					return false
				}
				w = here[i].change(w)
			}
			if !w.Allows(c.Goal.Retried()) {
				return false
			}
		}
	}
	return true
}

// mayHold returns the socket that has the port in this world but may be no obstacle. Only a bind
// would show whether it is, and the kernel refused before it came to that.
func mayHold(w kernel.World, g kernel.Goal) (s facts.Socket, ok bool) {
	if w.Holder < 0 || g.InUse() {
		return s, false
	}
	s = w.Facts.Net.Sockets.Value[w.Holder]
	return s, kernel.Conflicts(s, g) != kernel.Yes
}

// depends says what a fix depends on if a socket may hold the port, "" if none may.
func depends(cases []Case) string {
	for _, c := range cases {
		for _, w := range kernel.Likeliest(c.Worlds) {
			switch s, ok := mayHold(w, c.Goal); {
			case !ok:
			case kernel.Waits(s):
				return "unless a closed connection keeps the port, for a minute"
			default:
				return "unless " + kernel.Holder(s) + ", whose socket is bound to the port, keeps others from it"
			}
		}
	}
	return ""
}

// join makes one fix of two that help only together. The start of the program comes last, and
// once: an earlier start would be refused again.
func join(f *facts.Facts, a, b report.Fix) report.Fix {
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
		Depends: cmp.Or(a.Depends, b.Depends),
		Costs:   cmp.Or(a.Costs, b.Costs),
		Steps:   append(steps, b.Steps...),
	}
}

// starts reports whether a fix ends with a start of the program.
func starts(f *facts.Facts, fix report.Fix) bool {
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
