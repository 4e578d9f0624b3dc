package drop

import (
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/lowport/lowport/caps"
	"golang.org/x/sys/unix"
)

func toUser(op, name string, keep caps.Set) error {
	u, err := LookupUser(name)
	if err != nil {
		return fmt.Errorf("%s: %w", op, err)
	}
	if u.UID == 0 {
		return fmt.Errorf("%s: user %s has uid 0 and is root", op, name)
	}
	if keep.Has(caps.SETUID) {
		return fmt.Errorf("%s: a process that keeps cap_setuid can return to root", op)
	}
	if err := mapped(u); err != nil {
		return fmt.Errorf("%s: user %s: %w", op, name, err)
	}
	return alone(op, func() error {
		threads, err := look()
		if err != nil {
			return err
		}
		t := transition{u, goalOf(keep, threads)}
		if differing(threads, t.gap) == nil {
			note(threads, keep)
			return nil
		}
		if threads, err = ready(threads); err != nil {
			return err
		}
		t.goal = goalOf(keep, threads)
		if err := refused(differing(threads, t.missing)); err != nil {
			return err
		}
		if err := t.mayLeaveGroups(threads); err != nil {
			return err
		}
		if err := noRing(); err != nil {
			return err
		}
		note(threads, keep)
		if err := t.become(threads); err != nil {
			return err
		}
		if err := readBack(t.gap); err != nil {
			return err
		}
		if differing(threads, t.userGap) == nil {
			// It was that user before, and seccomp may kill for setresuid.
			return nil
		}
		return cannotReturn()
	})
}

// A transition is a goal as another user.
type transition struct {
	User
	goal
}

// missing says what a thread lacks that it is to keep, or that becoming the
// user takes.
func (t transition) missing(th thread) string {
	return lacking("permitted", th.Permitted, t.keep|t.needs(th))
}

// needs are the capabilities without which the kernel would refuse this thread
// to become the user: setgroups(2), setresgid(2), setresuid(2).
func (t transition) needs(th thread) caps.Set {
	var s caps.Set
	if t.groupGap(th) != "" {
		s = s.With(caps.SETGID)
	}
	if th.uids != four(t.UID) {
		s = s.With(caps.SETUID)
	}
	return s
}

// gap says how a thread differs from the goal or the user.
func (t transition) gap(th thread) string {
	how := t.goal.gap(th)
	for _, more := range []string{t.userGap(th), t.groupGap(th)} {
		if how != "" && more != "" {
			how += ", "
		}
		how += more
	}
	return how
}

func (t transition) userGap(th thread) string {
	if th.uids != four(t.UID) {
		return fmt.Sprintf("uids are %v, not %d", th.uids, t.UID)
	}
	return ""
}

func (t transition) groupGap(th thread) string {
	if th.gids != four(t.GID) {
		return fmt.Sprintf("gids are %v, not %d", th.gids, t.GID)
	}
	if !slices.Equal(th.groups, t.Groups) {
		return fmt.Sprintf("groups are %v, not %v", th.groups, t.Groups)
	}
	return ""
}

// otherGroups reports whether a thread has other supplementary groups than the user.
func (t transition) otherGroups(threads []thread) bool {
	return slices.ContainsFunc(threads, func(th thread) bool { return !slices.Equal(th.groups, t.Groups) })
}

// mayLeaveGroups finds what CAP_SETGID does not help against: setgroups(2) is refused
// in a user namespace whose /proc/PID/setgroups says "deny", user_namespaces(7).
func (t transition) mayLeaveGroups(threads []thread) error {
	if !t.otherGroups(threads) {
		return nil
	}
	b, err := os.ReadFile("/proc/self/setgroups")
	if err != nil {
		return err
	}
	if string(b) == "deny\n" {
		return refused(differing(threads, func(th thread) string {
			return t.groupGap(th) + ", and this user namespace denies setgroups(2)"
		}))
	}
	return nil
}

func four(id uint32) [4]uint32 { return [4]uint32{id, id, id, id} }

// become changes every thread to the user and then to the goal. Groups go
// first, while that is still allowed.
func (t *transition) become(threads []thread) error {
	var needs caps.Set
	for _, th := range threads {
		needs |= t.needs(th)
	}
	keepCaps, err := t.keepCaps(threads, needs)
	if err != nil {
		return err
	}
	if err := raise(threads, needs|t.goal.needs(threads)); err != nil {
		return err
	}
	if t.otherGroups(threads) {
		if err := setGroups(t.Groups); err != nil {
			return err
		}
	}
	if needs.Has(caps.SETGID) {
		if err := setGID(t.GID); err != nil {
			return err
		}
	}
	if err := t.narrow(threads); err != nil {
		return err
	}
	if needs.Has(caps.SETUID) {
		if err := setUser(t.UID, keepCaps); err != nil {
			return err
		}
	}
	return t.goal.finish(threads)
}

// keepCaps says whether the permitted set must be held on to while the uid
// leaves 0: "Effect of user ID changes on capabilities" in capabilities(7).
func (t transition) keepCaps(threads []thread, needs caps.Set) (bool, error) {
	if t.keep == 0 || !needs.Has(caps.SETUID) {
		return false, nil
	}
	root := slices.ContainsFunc(threads, func(th thread) bool { return slices.Contains(th.uids[:], 0) })
	if !root {
		return false, nil
	}
	self, err := caps.Self()
	if err != nil {
		return false, err
	}
	switch bits := self.Securebits; {
	case bits&(caps.NoSetuidFixup|caps.KeepCaps) != 0:
		return false, nil
	case bits&caps.KeepCapsLocked != 0:
		return false, errors.New("securebits: SECBIT_KEEP_CAPS is locked, so leaving uid 0 would clear what is to be kept")
	}
	return true, nil
}

// cannotReturn tries to become root again, on a thread that ends if it works.
func cannotReturn() error {
	const same = ^uintptr(0)
	return disposable(func() error {
		for _, ids := range [...][3]uintptr{{0, 0, 0}, {same, 0, same}, {0, same, same}, {same, same, 0}} {
			if _, _, errno := unix.RawSyscall(sysSetresuid, ids[0], ids[1], ids[2]); errno == 0 {
				return errors.New("setresuid to 0: the kernel let the process return to root")
			}
		}
		return nil
	})
}
