package drop

import (
	"syscall"
	"time"
)

// threadSignal is how both libpsx and the Go runtime reach another thread:
// SIGSETXID of glibc, sigPerThreadSyscall of the runtime.
const threadSignal = 33

// settled returns the threads once none is left that would hang or kill the
// process during a call on all of them, and an error where one stays. A thread
// that is just starting or ending is in such a state for a moment only.
func settled(threads []thread) ([]thread, error) {
	stuck := differing(threads, unreachable(threads))
	for wait := 0; stuck != nil; wait++ {
		if wait == 100 {
			stuck.Err = syscall.EBUSY
			return nil, stuck
		}
		time.Sleep(time.Millisecond)
		var err error
		if threads, err = look(); err != nil {
			return nil, err
		}
		still := unreachable(threads)
		stuck = differing(threads, func(t thread) string {
			for _, s := range stuck.Threads {
				if s.TID == t.tid {
					return still(t)
				}
			}
			return ""
		})
	}
	return threads, nil
}

func unreachable(threads []thread) func(thread) string {
	return func(t thread) string {
		switch {
		case t.ended: // look keeps no other than the first thread
			return "has ended and would be waited for without end"
		case t.blocked>>(threadSignal-1)&1 == 1:
			return "blocks signal 33 and would be waited for without end"
		case t.seccomp != threads[0].seccomp:
			return "is under other seccomp filters than the first thread and may answer differently"
		}
		return ""
	}
}
