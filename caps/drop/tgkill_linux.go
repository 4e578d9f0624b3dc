//go:build !cgo

package drop

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// signalThread signals a thread as the Go runtime does.
func signalThread(tid int, signal uintptr) error {
	if _, _, errno := unix.RawSyscall(unix.SYS_TGKILL, uintptr(unix.Getpid()), uintptr(tid), signal); errno != 0 {
		return fmt.Errorf("tgkill: %w", errno)
	}
	return nil
}
