package drop

import (
	"syscall"
	"time"
)

// ready waits until a call on all threads can end, and returns the threads.
func ready(threads []thread) ([]thread, error) {
	if err := maySignal(); err != nil {
		return nil, err
	}
	return settle(threads, unreachable)
}

// settle waits for threads that differ for a moment only, since they are just
// starting, ending or doing one thing in a state of their own, and returns the
// threads once none of those is left. Where one stays it is an error.
func settle(threads []thread, odd func([]thread) func(thread) string) ([]thread, error) {
	stuck := differing(threads, odd(threads))
	for wait := 0; stuck != nil; wait++ {
		if wait == 1000 {
			stuck.Err = syscall.EBUSY
			return nil, stuck
		}
		time.Sleep(time.Millisecond)
		var err error
		if threads, err = look(); err != nil {
			return nil, err
		}
		still, before := odd(threads), map[int]bool{}
		for _, t := range stuck.Threads {
			before[t.TID] = true
		}
		stuck = differing(threads, func(t thread) string {
			if before[t.tid] {
				return still(t)
			}
			return ""
		})
	}
	return threads, nil
}

// unreachable tells the threads apart with which a call on all threads would
// hang or kill the process.
func unreachable(threads []thread) func(thread) string {
	return func(t thread) string {
		switch {
		case t.ended: // look keeps no other than the first thread
			return "has ended and would be waited for without end"
		case t.uring:
			return "works for an io_uring, and keeps what the process held"
		case t.blocked>>(threadSignal-1)&1 == 1:
			return "blocks signal 33 and would be waited for without end"
		case t.seccomp != threads[0].seccomp:
			return "is under other seccomp filters than the first thread and may answer differently"
		}
		return ""
	}
}

// uneven tells the threads apart whose sets are not those of the first.
func uneven(threads []thread) func(thread) string {
	first := threads[0].State
	return func(t thread) string { return contrast(t.State, first) }
}
