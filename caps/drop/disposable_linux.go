package drop

import (
	"time"

	own "github.com/lowport/lowport/internal/thread" // thread is a type here
	"golang.org/x/sys/unix"
)

// disposable runs f on a thread of its own, and returns when that has ended.
func disposable(f func() error) error {
	tid := 0
	err := own.Run(func() error {
		tid = unix.Gettid()
		return f()
	})
	for unix.Tgkill(unix.Getpid(), tid, 0) == nil {
		time.Sleep(50 * time.Microsecond) // the runtime is ending it
	}
	return err
}
