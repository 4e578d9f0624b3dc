package drop

import (
	"errors"

	"github.com/lowport/lowport/caps"
)

func clamp(op string, keep caps.Set) error {
	return alone(op, func() error {
		threads, err := look()
		if err != nil {
			return err
		}
		c := ceiling(keep)
		if differing(threads, c.excess) == nil {
			return nil
		}
		if threads, err = ready(threads); err != nil {
			return err
		}
		if err := refused(differing(threads, c.fixed)); err != nil {
			return err
		}
		if err := c.lower(threads); err != nil {
			return err
		}
		return readBack(c.excess)
	})
}

// A ceiling is what the bounding set of every thread is to stay within.
type ceiling caps.Set

// excess says what a thread's bounding set holds beyond the ceiling.
func (c ceiling) excess(t thread) string {
	want := t.State
	want.Bounding &= caps.Set(c)
	return contrast(t.State, want)
}

// fixed says why a thread's bounding set cannot change, and whether that
// matters.
func (c ceiling) fixed(t thread) string {
	how := lacking("permitted", t.Permitted, caps.SetOf(caps.SETPCAP))
	switch {
	case how == "":
		return ""
	case t.NoNewPrivs:
		return how + ", " + c.excess(t) + ", no_new_privs makes it moot"
	default:
		return how + ", " + c.excess(t) + ", no_new_privs is not set"
	}
}

// lower brings every thread under the ceiling. Where CAP_SETPCAP must be raised
// for it, the three sets of all threads are written and written back, so they
// have to be the same beforehand.
func (c ceiling) lower(threads []thread) error {
	extra := beyond(threads, caps.Set(c))
	setpcap := caps.SetOf(caps.SETPCAP)
	if common(threads).Effective.Contains(setpcap) {
		return dropBounding(extra)
	}
	threads, err := settle(threads, uneven)
	if err != nil {
		return err
	}
	was := common(threads)
	if err := raise(threads, setpcap); err != nil {
		return err
	}
	err = dropBounding(extra)
	return errors.Join(err, setCaps(was.Inheritable, was.Permitted, was.Effective))
}
