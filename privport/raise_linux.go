package privport

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"

	"golang.org/x/sys/unix"

	"github.com/lowport/lowport/caps"
)

// raise is Raise. It locks the goroutine before it changes the thread, so that the
// runtime starts new threads from another one, which has nothing raised.
func raise(set caps.Set, f func() error) (err error) {
	runtime.LockOSThread()
	thread := unix.Gettid()
	raised, err := raiseThread(set)
	if err != nil {
		runtime.UnlockOSThread()
		return err
	}
	defer func() {
		if failed := lowerThread(thread, raised); failed != nil {
			err = errors.Join(err, failed)
			return // and the goroutine stays locked
		}
		runtime.UnlockOSThread()
	}()
	return f()
}

// raiseThread makes the capabilities of set effective on the calling thread, and
// returns those that were not effective before.
func raiseThread(set caps.Set) (raised caps.Set, err error) {
	now, err := readThread()
	if err != nil {
		return 0, &RaiseError{Set: set, Err: err}
	}
	if missing := set &^ now.permitted(); missing != 0 {
		return 0, &RaiseError{Set: missing, Err: fmt.Errorf("not permitted to this thread: %w", fs.ErrPermission)}
	}
	raised = set &^ now.effective()
	if raised == 0 {
		return 0, nil
	}
	if err := now.setEffective(now.effective() | raised); err != nil {
		return 0, &RaiseError{Set: raised, Err: err}
	}
	return raised, nil
}

// lowerThread takes what was raised out of the effective set of the calling thread,
// and reads the set back. f may have changed the thread meanwhile: what it let go
// stays away.
func lowerThread(thread int, raised caps.Set) error {
	if raised == 0 {
		return nil
	}
	fail := func(err error) error { return &RaiseError{Set: raised, Err: err, Lower: true} }
	if unix.Gettid() != thread {
		return fail(fmt.Errorf("the function unlocked its goroutine, which left thread %d", thread))
	}
	now, err := readThread()
	if err == nil && now.effective()&raised != 0 {
		if err = now.setEffective(now.effective() &^ raised); err == nil {
			now, err = readThread()
		}
	}
	switch {
	case err != nil:
		return fail(err)
	case now.effective()&raised != 0:
		return fail(errors.New("capset(2) succeeded and changed nothing"))
	}
	return nil
}

// threadSets are the three sets that capget(2) reads of the calling thread.
type threadSets [2]unix.CapUserData

func readThread() (s threadSets, err error) {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	err = unix.Capget(&header, &s[0])
	return s, os.NewSyscallError("capget", err)
}

func (s threadSets) permitted() caps.Set {
	return caps.Set(s[1].Permitted)<<32 | caps.Set(s[0].Permitted)
}

func (s threadSets) effective() caps.Set {
	return caps.Set(s[1].Effective)<<32 | caps.Set(s[0].Effective)
}

// setEffective gives the calling thread the sets s with another effective set.
func (s threadSets) setEffective(effective caps.Set) error {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	s[0].Effective, s[1].Effective = uint32(effective), uint32(effective>>32)
	return os.NewSyscallError("capset", unix.Capset(&header, &s[0]))
}

// onlyPermitted reports whether raising c would change the calling thread: it has c
// permitted and not effective.
func onlyPermitted(c caps.Cap) (bool, error) {
	now, err := readThread()
	if err != nil {
		return false, &RaiseError{Set: caps.SetOf(c), Err: err}
	}
	return now.permitted().Has(c) && !now.effective().Has(c), nil
}
