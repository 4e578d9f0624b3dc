// Package thread runs what changes the thread it runs on.
package thread

import (
	"runtime"

	"golang.org/x/sys/unix"
)

// startup is the thread on which the Go runtime started. Initialisation runs there:
// runtime.main locks it to that thread. In a program it is the first thread of the
// process. In a library for another language, built with -buildmode=c-shared or
// c-archive, it is one that the runtime made.
//
// The initialisation of a plugin runs on any thread; there the first thread of the
// process is the one.
var startup = unix.Gettid()

// Run calls f on a new thread, which ends with what f changed in it: the goroutine
// ends while it is locked to the thread. A panic of f propagates to the caller, and so
// does its runtime.Goexit.
//
// f never runs on the thread on which the Go runtime started. The runtime parks that
// one instead of ending it (runtime.mexit), so it would keep for good what f changed.
func Run[T any](f func() T) (v T) {
	done, returned := make(chan any), false
	go func() {
		defer func() { done <- recover() }()
		runtime.LockOSThread()
		if tid := unix.Gettid(); tid == startup || tid == unix.Getpid() {
			v = Run(f) // on another thread, since this one is taken
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
