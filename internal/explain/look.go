package explain

import (
	"fmt"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/guard/report"
	"github.com/lowport/lowport/internal/facts"
	"github.com/lowport/lowport/internal/rules"
	"github.com/lowport/lowport/internal/term"
)

// A look is one walk over the facts. It keeps what was looked at, and whether
// anything on the way could not be read.
type look struct {
	f       facts.Facts
	g       rules.Goal
	err     error // of the bind
	seen    []report.Fact
	unsure  bool
	apart   bool              // the port is privileged in a network namespace that is not the machine's
	detail  map[string]string // of a cause, where it is not that of the catalogue
	summary map[string]string // of a cause, likewise
}

// see looks at a fact: it becomes evidence, once under each name. value prints
// it and says tells what it means; neither is called for a fact that is not known.
func see[T any](l *look, name string, fact facts.Fact[T], value, says func(T) string) (T, bool) {
	e := report.Fact{Name: name, Source: fact.Source, State: fact.State.String()}
	switch fact.State {
	case facts.Known:
		e.Value = value(fact.Value)
		e.Says = says(fact.Value)
	case facts.Absent:
		e.Value, e.Says = "none", name+": none"
	default:
		l.unsure = true
		e.Value, e.Says = fact.Reason, name+": could not tell ("+term.Show(fact.Reason)+")"
	}
	for _, old := range l.seen {
		if old.Name == name {
			return fact.Value, fact.State == facts.Known
		}
	}
	l.seen = append(l.seen, e)
	return fact.Value, fact.State == facts.Known
}

// doubt looks at a fact only where it could not be read: known, it would be
// looked at elsewhere, or have nothing to say.
func doubt[T any](l *look, name string, fact facts.Fact[T]) {
	if fact.State == facts.Unreadable {
		see(l, name, fact, nil, nil)
	}
}

// has words whether a set has what the goal needs.
func (l *look) has(s caps.Set) string {
	if s.Contains(l.g.Need()) {
		return "has " + l.g.Need().String()
	}
	return "lacks " + (l.g.Need() &^ s).String()
}

// set looks at one of the thread's five sets, under its name in status.
func (l *look) set(name string, pick func(caps.State) caps.Set) caps.Set {
	s, _ := see(l, name, l.f.Proc.Thread,
		func(s caps.State) string { return pick(s).Hex() },
		func(s caps.State) string { return name + " " + pick(s).Hex() + " " + l.has(pick(s)) })
	return pick(s)
}

func effective(s caps.State) caps.Set   { return s.Effective }
func permitted(s caps.State) caps.Set   { return s.Permitted }
func bounding(s caps.State) caps.Set    { return s.Bounding }
func inheritable(s caps.State) caps.Set { return s.Inheritable }

func (l *look) noNewPrivs() bool {
	s, _ := see(l, "NoNewPrivs", l.f.Proc.Thread,
		func(s caps.State) string { return map[bool]string{true: "1", false: "0"}[s.NoNewPrivs] },
		func(s caps.State) string {
			if s.NoNewPrivs {
				return "NoNewPrivs 1: execve grants nothing new"
			}
			return ""
		})
	return s.NoNewPrivs
}

// grown looks whether this process had more than it was started with: where it
// lacks that now, it let go of it itself.
func (l *look) grown() bool {
	grown, _ := see(l, "more since the start", l.f.Proc.GainedOrChangedUser, yesNo, func(grown bool) string {
		if !grown {
			return ""
		}
		return "execve gave it capabilities, or it has changed its user since"
	})
	return grown
}

// dropped looks whether package caps/drop found permitted what is no longer: only
// this process itself can have given it up.
func (l *look) dropped() bool {
	if l.f.Proc.Dropped.State != facts.Known {
		return false // as in older recordings, which say nothing of it
	}
	need := l.g.Need() &^ l.f.Proc.Thread.Value.Permitted
	if !l.f.Proc.Dropped.Value.Contains(need) {
		return false
	}
	see(l, "CapPrm before the drop", l.f.Proc.Dropped, caps.Set.Hex, func(s caps.Set) string {
		return "CapPrm " + s.Hex() + " before the drop had " + need.String()
	})
	return true
}

// file looks at the capabilities of the running file.
func (l *look) file() (caps.File, bool) {
	return see(l, "file capabilities", l.f.File.Exe.Caps, fileText, func(c caps.File) string {
		return "the file has " + fileText(c)
	})
}

// fileText prints file capabilities as `getcap -n` does.
func fileText(c caps.File) string {
	if c.Version == 3 {
		return fmt.Sprintf("%v [rootid=%d]", c, c.RootID)
	}
	return c.String()
}

func (l *look) nosuid() bool {
	n, _ := see(l, "nosuid", l.f.File.Exe.Nosuid, yesNo, func(n bool) string {
		if n {
			return "the file's mount is nosuid"
		}
		return ""
	})
	return n
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

// cause names what was found, as certain as the look allows.
func (l *look) cause(id string) report.Cause {
	c := report.Cause{ID: id, Certainty: report.Proven}
	if l.unsure {
		c.Certainty = report.Likely
	}
	return c
}

// guess names what cannot be told apart from other causes.
func (l *look) guess(id string) report.Cause { return report.Cause{ID: id, Certainty: report.Possible} }
