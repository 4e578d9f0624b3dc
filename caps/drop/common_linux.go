package drop

import (
	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/internal/dropped"
)

// everything is the set that limits nothing.
const everything = ^caps.Set(0)

// common is what all threads hold: the intersection of their sets.
func common(threads []thread) caps.State {
	s := caps.State{Inheritable: everything, Permitted: everything, Effective: everything}
	for _, t := range threads {
		s.Inheritable &= t.Inheritable
		s.Permitted &= t.Permitted
		s.Effective &= t.Effective
	}
	return s
}

// beyond is what any thread has in its bounding set outside limit.
func beyond(threads []thread, limit caps.Set) caps.Set {
	var s caps.Set
	for _, t := range threads {
		s |= t.Bounding &^ limit
	}
	return s
}

// note keeps for package guard what the threads have permitted before a drop, and what
// they keep.
func note(threads []thread, keep caps.Set) {
	for _, t := range threads {
		dropped.Note(t.Permitted, keep)
	}
}

// raise makes these permitted capabilities effective on every thread, which
// levels their sets, and does nothing where they are: a thread that is just
// then raising something for itself, in the way of capget(2), change, capset(2),
// would undo it and be refused what the others may.
func raise(threads []thread, s caps.Set) error {
	c := common(threads)
	if c.Effective.Contains(s) {
		return nil
	}
	if err := setCaps(c.Inheritable, c.Permitted, c.Effective|s); err != nil {
		return err
	}
	return readBack(func(t thread) string { return lacking("effective", t.Effective, s) })
}
