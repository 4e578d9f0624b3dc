//go:build cgo

package drop

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// signalThread signals a thread as libpsx does.
func signalThread(tid int, signal uintptr) error {
	if _, _, errno := unix.RawSyscall(unix.SYS_TKILL, uintptr(tid), signal, 0); errno != 0 {
		return fmt.Errorf("tkill: %w", errno)
	}
	return nil
}
