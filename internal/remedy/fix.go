package remedy

import (
	"cmp"
	"iter"
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
	only   func(kernel.Goal) bool          // the goals for which it does that; nil for all
	byHand bool                            // the operator has to find the place to change; printed only if nothing else helps
}

// A Case is a goal that was refused, and the worlds in which that is possible.
type Case struct {
	Goal   kernel.Goal
	Worlds []kernel.World
}

// Fixes returns what helps in every likeliest world of every case, in the order of candidates.
// If no single change is enough it tries two and three together, and then what has to be done
// by hand.
func Fixes(cases ...Case) []report.Fix {
	var goals []kernel.Goal
	for _, c := range cases {
		if len(c.Worlds) == 0 {
			return []report.Fix{} // nothing is known to help
		}
		goals = append(goals, c.Goal)
	}
	if len(cases) == 0 {
		return []report.Fix{}
	}
	var all []candidate
	for _, c := range cases {
		all = merge(all, candidates(c.Worlds[0], goals...))
	}
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
	tries := trials(cases, goals)
	for _, some := range [][]candidate{all[:byHand], all} {
		for size := 1; size <= mostTogether; size++ {
			if fixes := helping(tries, some, size); len(fixes) > 0 {
				return fixes
			}
		}
	}
	return []report.Fix{}
}

// merge returns a, followed by what of b has other steps.
func merge(a, b []candidate) []candidate {
	for _, c := range b {
		if !slices.ContainsFunc(a, func(old candidate) bool { return slices.Equal(old.Steps, c.Steps) }) {
			a = append(a, c)
		}
	}
	return a
}

// mostTogether bounds the changes of one fix.
const mostTogether = 3

// A trial is a likeliest world of a case, and what could help in it.
type trial struct {
	world kernel.World
	goal  kernel.Goal
	could []candidate
}

func trials(cases []Case, goals []kernel.Goal) (all []trial) {
	for _, c := range cases {
		for _, w := range kernel.Likeliest(c.Worlds) {
			could := candidates(w, goals...)
			if _, ok := mayHold(w, c.Goal); ok {
				w.Holder = kernel.Nobody
			}
			all = append(all, trial{w, c.Goal, could})
		}
	}
	return all
}

// helping returns the fixes of so many candidates that help together.
func helping(tries []trial, all []candidate, size int) (fixes []report.Fix) {
	f := tries[0].world.Facts
	for some := range combinations(len(all), size) {
		var chosen []report.Fix
		for _, i := range some {
			chosen = append(chosen, all[i].Fix)
		}
		if startsAsBefore(chosen) || !help(tries, chosen) {
			continue
		}
		fix := chosen[0]
		for _, more := range chosen[1:] {
			fix = join(f, fix, more)
		}
		fixes = append(fixes, fix)
	}
	return fixes
}

// startsAsBefore reports whether some of the fixes together change what the program is asked to
// listen on, and start it with what it was asked before.
func startsAsBefore(fixes []report.Fix) bool {
	edits, starts := false, false
	for _, f := range fixes {
		for _, s := range f.Steps {
			edits, starts = edits || s.Edit == asked, starts || s.Start != ""
		}
	}
	return edits && starts
}

// combinations yields the ascending choices of k of the numbers below n, in their order.
func combinations(n, k int) iter.Seq[[]int] {
	return func(yield func([]int) bool) {
		chosen := make([]int, 0, k)
		var choose func(from int) bool
		choose = func(from int) bool {
			if len(chosen) == k {
				return yield(chosen)
			}
			for i := from; i <= n-k+len(chosen); i++ {
				chosen = append(chosen, i)
				if !choose(i + 1) {
					return false
				}
				chosen = chosen[:len(chosen)-1]
			}
			return true
		}
		choose(0)
	}
}

// help reports whether the fixes together reach the goals. In each trial the same fixes, word for
// word, have to be among what could help, and their changes allow the bind.
func help(tries []trial, fixes []report.Fix) bool {
	for _, t := range tries {
		w := t.world
		for _, fix := range fixes {
			i := slices.IndexFunc(t.could, func(c candidate) bool { return slices.Equal(c.Steps, fix.Steps) })
			if i < 0 {
				return false
			}
			if c := t.could[i]; c.only == nil || c.only(t.goal) {
				w = c.change(w)
			}
		}
		if !w.Allows(t.goal.Retried()) {
			return false
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
		Lasts:   both(a.Lasts, b.Lasts),
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

// both joins what two fixes say, unless the first says it already.
func both(a, b string) string {
	if slices.Contains(strings.Split(a, "; "), b) {
		return a
	}
	return a + "; " + b
}
