package audit

import (
	"errors"
	"fmt"
	"iter"
	"os"
	"slices"
	"strconv"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/internal/facts"
)

func readAll() iter.Seq2[Process, error] {
	return func(yield func(Process, error) bool) {
		if err := hidden(); err != nil && !yield(Process{}, err) {
			return
		}
		dir, err := os.Open("/proc")
		if err != nil {
			yield(Process{}, err)
			return
		}
		defer dir.Close()
		names, err := dir.Readdirnames(-1)
		if err != nil {
			yield(Process{}, err)
			return
		}
		var pids []int
		for _, name := range names {
			if pid, err := strconv.Atoi(name); err == nil && pid > 0 {
				pids = append(pids, pid)
			}
		}
		slices.Sort(pids)
		var r reader
		for _, pid := range pids {
			p, err := r.process(pid)
			if errors.Is(err, ErrEnded) || errors.Is(err, errKernel) {
				continue
			}
			if !yield(p, err) {
				return
			}
		}
	}
}

// hidden reports whether /proc does not show this thread all processes
// (has_pid_permissions). What is held, and who one is, in another user namespace
// than the first counts for nothing there.
func hidden() error {
	b, err := os.ReadFile("/proc/thread-self/mountinfo")
	if err != nil {
		return err
	}
	options, gid, hides := hides(b)
	if !hides {
		return nil
	}
	held, err := caps.Effective()
	if err != nil {
		return err
	}
	groups, err := os.Getgroups()
	if err != nil {
		return err
	}
	ns, err := os.Readlink("/proc/thread-self/ns/user")
	if err != nil {
		return err
	}
	if ns == facts.InitialUserNS && (held.Has(caps.SYS_PTRACE) || gid != 0 && (os.Getegid() == int(gid) || slices.Contains(groups, int(gid)))) {
		return nil
	}
	return fmt.Errorf("%w (%s)", ErrHidden, options)
}
