// Package thread runs what changes the thread it runs on.
package thread

import (
	"runtime"

	"golang.org/x/sys/unix"
)

// Run runs f on a thread of its own, which ends with what f changed in it: the
// goroutine ends while it is locked to the thread. The first thread would be parked
// and stay as it is, so that there f runs on another one while the first is held back.
// A panic of f is one of Run.
func Run[T any](f func() T) (v T) {
	done := make(chan any)
	go func() {
		defer func() { done <- recover() }()
		runtime.LockOSThread()
		if unix.Gettid() == unix.Getpid() {
			v = Run(f)
			runtime.UnlockOSThread()
			return
		}
		v = f()
	}()
	if p := <-done; p != nil {
		panic(p)
	}
	return v
}
