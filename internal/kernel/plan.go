package kernel

import (
	"fmt"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/internal/facts"
)

// Rule is the Source of a fact that says what a program would hold.
const Rule = "execve rule"

// unknownFact is the Reason if the rule gives no answer.
const unknownFact = "a fact it needs is not known"

// Plan returns the facts as they would be if the starter executed the program. If the execve
// rule needs a fact that is not known, what the thread would hold is unreadable.
func Plan(f facts.Facts) facts.Facts {
	f.Launch.Planned = true
	f.File.Exe = f.File.Installed
	f.File.Deleted, f.Proc.Dropped, f.Proc.Drops = f.File.Deleted.Now(false), f.Proc.Dropped.Now(0), f.Proc.Drops.Now(0)
	f.Proc.Threads, f.Proc.AtInit = f.Proc.Threads.None(), f.Proc.AtInit.None()
	f.Proc.Secure, f.Proc.Dumpable = f.Proc.Secure.None(), f.Proc.Dumpable.None()
	f.Proc.Thread = facts.Fact[caps.State]{Source: Rule, Reason: unknownFact}
	worlds := Worlds(&f, Goal{})
	for i, w := range worlds {
		s, ok := w.Executed()
		switch {
		case w.seen:
			return f
		case !ok:
			f.Proc.Thread.Reason = caps.ErrExecRefused.Error()
			return f
		case i > 0 && s != f.Proc.Thread.Value:
			f.Proc.Thread, f.Proc.Threads = facts.Fact[caps.State]{Source: Rule, Reason: unknownFact}, f.Proc.Threads.None()
			return f
		}
		f.Proc.Thread = f.Proc.Thread.Now(s)
		f.Proc.Threads = f.Proc.Threads.Now(map[int]caps.State{0: s})
	}
	return f
}

// An Outcome is what the kernel would answer: the name of an errno, or "" where it lets
// the goal be reached.
type Outcome struct {
	Errno    string
	Call     string // the call that is refused, "" for bind
	Executed bool   // the program itself would be
	Raised   bool   // the capability has to be made effective for it
}

// Predict returns the outcome of a goal that was not tried. It returns an error if the worlds
// differ in the outcome; the outcome then means nothing.
func Predict(worlds []World, g Goal) (Outcome, error) {
	var all Outcome
	var at string // the gate that refuses
	for i, w := range worlds {
		o, gate := w.predict(g)
		switch {
		case i == 0:
			all, at = o, gate
		case o.Errno != all.Errno && (gate == "free" || at == "free"):
			return Outcome{Executed: true}, fmt.Errorf("the evidence does not suffice to tell whether port %d is free", g.Port)
		case o != all:
			return Outcome{Executed: true}, fmt.Errorf("the evidence does not suffice to tell whether port %d may be bound", g.Port)
		}
	}
	return all, nil
}

// predict returns the outcome in one world, and the gate that refuses the last attempt. The
// gate is "" if an attempt succeeds.
func (w World) predict(g Goal) (o Outcome, gate string) {
	o.Executed = true
	o.Raised = w.Privileged(g) && w.Holds(g) && w.Counts && w.Granted && !w.thread(g.Need()).Effective.Contains(g.Need())
	for _, a := range g.attempts() {
		first := w.refusedAt(g, a)
		if first == nil {
			o.Errno, o.Call = "", ""
			return o, ""
		}
		gate = first.Name
		o.Errno, o.Executed = first.errno(w, g, a), gate != "start"
		if gate == "listen" {
			o.Call = "listen"
		}
	}
	return o, gate
}

// Executes reports whether the kernel executes a program that is planned.
func Executes(f *facts.Facts) Answer { return Allows(Worlds(f, Goal{}), Goal{}) }
