package drop

import (
	"errors"
	"slices"
	"syscall"

	"github.com/lowport/lowport/caps"
)

func except(op string, keep caps.Set) error {
	return alone(op, func() error {
		threads, err := look()
		if err != nil {
			return err
		}
		g := goalOf(keep, threads)
		if differing(threads, g.gap) == nil {
			note(threads, keep)
			return nil
		}
		if threads, err = ready(threads); err != nil {
			return err
		}
		g = goalOf(keep, threads)
		if err := refused(differing(threads, g.missing)); err != nil {
			return err
		}
		if err := noRing(); err != nil {
			return err
		}
		note(threads, keep)
		if err := g.reach(threads); err != nil {
			return err
		}
		return readBack(g.gap)
	})
}

// A goal is what every thread is to hold: exactly keep in the permitted set, nothing
// effective, inheritable or ambient, no_new_privs, and a bounding set within limit.
type goal struct{ keep, limit caps.Set }

// goalOf asks for the bounding set to come down to keep where every thread has
// CAP_SETPCAP. Without it nothing can be asked: no_new_privs makes it moot.
func goalOf(keep caps.Set, threads []thread) goal {
	if common(threads).Permitted.Has(caps.SETPCAP) {
		return goal{keep: keep, limit: keep}
	}
	return goal{keep: keep, limit: everything}
}

// missing says what a thread lacks that it is to keep.
func (g goal) missing(t thread) string { return lacking("permitted", t.Permitted, g.keep) }

// gap says how a thread differs from the goal.
func (g goal) gap(t thread) string {
	return contrast(t.State, caps.State{
		Permitted:  g.keep,
		Bounding:   t.Bounding & g.limit,
		NoNewPrivs: true,
	})
}

// needs is what must be effective on the way.
func (g goal) needs(threads []thread) caps.Set {
	if beyond(threads, g.limit) != 0 {
		return caps.SetOf(caps.SETPCAP)
	}
	return 0
}

// reach changes every thread to the goal.
func (g *goal) reach(threads []thread) error {
	if err := raise(threads, g.needs(threads)); err != nil {
		return err
	}
	if err := g.narrow(threads); err != nil {
		return err
	}
	return g.finish(threads)
}

// narrow brings the bounding set down to the limit. Where the kernel refuses
// though CAP_SETPCAP is effective, since an AppArmor profile or an SELinux domain
// does not grant it (cap_prctl_drop, security_capable), there is no limit, as
// without the capability.
func (g *goal) narrow(threads []thread) error {
	err := dropBounding(beyond(threads, g.limit))
	if errors.Is(err, syscall.EPERM) {
		g.limit = everything
		return nil
	}
	return err
}

// finish is the part that no thread can be refused.
func (g goal) finish(threads []thread) error {
	if slices.ContainsFunc(threads, func(t thread) bool { return !t.NoNewPrivs }) {
		if err := setNoNewPrivs(); err != nil {
			return err
		}
	}
	return setCaps(0, g.keep, 0)
}
