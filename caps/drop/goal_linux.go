package drop

import (
	"fmt"
	"strings"
	"sync"
	"syscall"

	"github.com/lowport/lowport/caps"
)

// mu lets one change of this process happen at a time, [Start] included, whose
// thread differs from the others while it lives.
var mu sync.Mutex

// A goal is what every thread is to hold: exactly keep in the permitted and
// the effective set, nothing inheritable, nothing ambient, and no_new_privs.
type goal struct {
	op   string
	keep caps.Set
}

func except(op string, keep caps.Set) error {
	return alone(op, goal{op, keep}.reach)
}

// alone runs change while no other change and no fork happens in the process:
// a child starts before the drop or after it, never half way.
func alone(op string, change func() error) error {
	mu.Lock()
	defer mu.Unlock()
	syscall.ForkLock.Lock()
	defer syscall.ForkLock.Unlock()
	if err := change(); err != nil {
		if e, ok := err.(*Error); ok {
			e.Op = op
			return e
		}
		return fmt.Errorf("%s: %w", op, err)
	}
	return nil
}

func (g goal) reach() error {
	threads, err := look()
	if err != nil {
		return err
	}
	limit := g.limit(threads)
	if differing(threads, g.gap(limit)) == nil {
		return nil
	}
	if threads, err = settled(threads); err != nil {
		return err
	}
	if e := differing(threads, g.missing); e != nil {
		e.Err = syscall.EPERM
		return e
	}
	if err := setNoNewPrivs(); err != nil {
		return err
	}
	limit = g.limit(threads)
	if err := clamp(threads, limit); err != nil {
		return err
	}
	if err := setCaps(0, g.keep, g.keep); err != nil {
		return err
	}
	if threads, err = look(); err != nil {
		return err
	}
	if e := differing(threads, g.gap(limit)); e != nil {
		return e
	}
	return nil
}

// everything is a bounding set that limits nothing.
const everything = ^caps.Set(0)

// limit is what the bounding set can come down to: keep where every thread has
// CAP_SETPCAP, and otherwise nothing is asked of it, since no_new_privs makes
// it moot.
func (g goal) limit(threads []thread) caps.Set {
	if common(threads).Permitted.Has(caps.SETPCAP) {
		return g.keep
	}
	return everything
}

// missing says what a thread lacks that it is to keep.
func (g goal) missing(t thread) string {
	if lacks := g.keep &^ t.Permitted; lacks != 0 {
		return "permitted lacks " + lacks.String()
	}
	return ""
}

// gap says how a thread differs from the goal.
func (g goal) gap(limit caps.Set) func(thread) string {
	return func(t thread) string {
		return contrast(t.State, caps.State{
			Permitted:  g.keep,
			Effective:  g.keep,
			Bounding:   t.Bounding & limit,
			NoNewPrivs: true,
		})
	}
}

// contrast says how one state differs from the wanted one, and "" where it
// does not.
func contrast(got, want caps.State) string {
	var how []string
	for _, s := range []struct {
		name      string
		got, want caps.Set
	}{
		{"inheritable", got.Inheritable, want.Inheritable},
		{"permitted", got.Permitted, want.Permitted},
		{"effective", got.Effective, want.Effective},
		{"bounding", got.Bounding, want.Bounding},
		{"ambient", got.Ambient, want.Ambient},
	} {
		if more := s.got &^ s.want; more != 0 {
			how = append(how, s.name+" has "+more.String())
		}
		if less := s.want &^ s.got; less != 0 {
			how = append(how, s.name+" lacks "+less.String())
		}
	}
	switch {
	case got.NoNewPrivs && !want.NoNewPrivs:
		how = append(how, "no_new_privs is set")
	case want.NoNewPrivs && !got.NoNewPrivs:
		how = append(how, "no_new_privs is not set")
	}
	return strings.Join(how, ", ")
}

// differing returns an [Error] with the threads for which how has an answer,
// and nil where there are none.
func differing(threads []thread, how func(thread) string) *Error {
	var e Error
	for _, t := range threads {
		if h := how(t); h != "" {
			e.Threads = append(e.Threads, Thread{t.tid, t.State, h})
		}
	}
	if e.Threads == nil {
		return nil
	}
	return &e
}

// common is what all threads hold: the intersection of their sets.
func common(threads []thread) caps.State {
	s := caps.State{Inheritable: everything, Permitted: everything, Effective: everything, Bounding: everything, Ambient: everything}
	for _, t := range threads {
		s.Inheritable &= t.Inheritable
		s.Permitted &= t.Permitted
		s.Effective &= t.Effective
		s.Bounding &= t.Bounding
		s.Ambient &= t.Ambient
	}
	return s
}

// clamp brings the bounding set of every thread down to limit. Where it has
// something to do, every thread permits CAP_SETPCAP; it is raised for the time
// only where it is not effective, since on a thread that is just then changing
// its own effective set the kernel would refuse.
func clamp(threads []thread, limit caps.Set) error {
	var extra caps.Set
	for _, t := range threads {
		extra |= t.Bounding &^ limit
	}
	if extra == 0 {
		return nil
	}
	if err := raise(threads, caps.SetOf(caps.SETPCAP)); err != nil {
		return err
	}
	return dropBounding(extra)
}

// raise makes these permitted capabilities effective on every thread.
func raise(threads []thread, s caps.Set) error {
	c := common(threads)
	if c.Effective.Contains(s) {
		return nil
	}
	if err := setCaps(c.Inheritable, c.Permitted, c.Effective|s); err != nil {
		return err
	}
	threads, err := look()
	if err != nil {
		return err
	}
	if e := differing(threads, func(t thread) string {
		if lacks := s &^ t.Effective; lacks != 0 {
			return "effective lacks " + lacks.String()
		}
		return ""
	}); e != nil {
		return e
	}
	return nil
}
