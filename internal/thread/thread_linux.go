// Package thread runs what changes the thread it runs on.
package thread

import (
	"runtime"

	"golang.org/x/sys/unix"
)

// Run runs f on a thread of its own, which ends with what f changed in it: the
// goroutine ends while it is locked to the thread. The first thread would be parked
// and stay as it is, so that there f runs on another one while the first is held back.
// A panic of f is one of Run, and where f ends its goroutine Run ends the caller's.
func Run[T any](f func() T) (v T) {
	done, returned := make(chan any), false
	go func() {
		defer func() { done <- recover() }()
		runtime.LockOSThread()
		if unix.Gettid() == unix.Getpid() {
			v = Run(f)
			runtime.UnlockOSThread()
		} else {
			v = f()
		}
		returned = true
	}()
	if p := <-done; p != nil {
		panic(p)
	}
	if !returned {
		runtime.Goexit()
	}
	return v
}
