package drop

import (
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// disposable runs f on a thread of its own that ends with it, so that what f
// does to the thread stays with the thread. It is never the first thread: that
// one would stay, as it is, until the process ends.
func disposable(f func() error) error {
	done := make(chan error)
	tid := 0
	go func() {
		runtime.LockOSThread()
		if unix.Gettid() == unix.Getpid() {
			done <- disposable(f)
			runtime.UnlockOSThread()
			return
		}
		tid = unix.Gettid()
		done <- f()
	}()
	err := <-done
	for tid != 0 && unix.Tgkill(unix.Getpid(), tid, 0) == nil {
		time.Sleep(50 * time.Microsecond) // the runtime is ending it
	}
	return err
}
