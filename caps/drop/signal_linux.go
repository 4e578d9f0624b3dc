package drop

import (
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"
)

// maySignal says whether the threads of this process may signal each other.
// Where they may not, as under an AppArmor profile without a rule for it, under
// seccomp that refuses tgkill(2), or with RLIMIT_SIGPENDING used up, neither the Go
// runtime nor libpsx notices, and they wait for the other threads without end. The
// signal itself is sent, by a thread to itself, which blocks it, takes it back and
// ends: where nobody handles it yet it would end the process.
func maySignal() error {
	return disposable(func() error {
		set := uint64(1) << (threadSignal - 1)
		if _, _, errno := unix.RawSyscall6(unix.SYS_RT_SIGPROCMASK, unix.SIG_BLOCK, uintptr(unsafe.Pointer(&set)), 0, 8, 0, 0); errno != 0 {
			return fmt.Errorf("rt_sigprocmask: %w", errno)
		}
		if err := unix.Tgkill(unix.Getpid(), unix.Gettid(), threadSignal); err != nil {
			return fmt.Errorf("its threads may not signal each other, and a change of all of them would wait without end: tgkill: %w", err)
		}
		var now unix.Timespec
		unix.RawSyscall6(unix.SYS_RT_SIGTIMEDWAIT, uintptr(unsafe.Pointer(&set)), 0, uintptr(unsafe.Pointer(&now)), 8, 0, 0)
		return nil
	})
}
