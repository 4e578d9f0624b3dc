package drop

import (
	"time"

	own "github.com/lowport/lowport/internal/thread" // thread is a type here
	"golang.org/x/sys/unix"
)

// disposable runs f on a new thread and waits for the runtime to end it, since a look
// at every thread would see it until then. It does not wait without end: a look waits
// for such threads too, and reports the one that stays.
func disposable(f func() error) error {
	tid := 0
	err := own.Run(func() error {
		tid = unix.Gettid()
		return f()
	})
	for wait := 0; wait < 2000 && unix.Tgkill(unix.Getpid(), tid, 0) == nil; wait++ {
		time.Sleep(50 * time.Microsecond)
	}
	return err
}
