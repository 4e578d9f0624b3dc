package drop

import (
	"errors"
	"fmt"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// threadSignal is how both libpsx and the Go runtime reach another thread:
// SIGSETXID of glibc, sigPerThreadSyscall of the runtime.
const threadSignal = 33

// maySignal checks that the threads of this process can signal each other. Where they
// cannot, as under an AppArmor profile without a rule for it, under seccomp that refuses
// the call or only pretends to make it, or with RLIMIT_SIGPENDING used up, neither the Go
// runtime nor libpsx notices, and they wait for the other threads without end.
//
// So a thread sends the signal to itself. It blocks the signal first, since one that
// nobody handles yet would end the process, takes it back and unblocks it.
func maySignal() error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	set, before := uint64(1)<<(threadSignal-1), uint64(0)
	if err := sigmask(unix.SIG_BLOCK, &set, &before); err != nil {
		return err
	}
	return errors.Join(signalSelf(&set), sigmask(unix.SIG_SETMASK, &before, nil))
}

func sigmask(how int, set, before *uint64) error {
	_, _, errno := unix.RawSyscall6(unix.SYS_RT_SIGPROCMASK, uintptr(how), uintptr(unsafe.Pointer(set)),
		uintptr(unsafe.Pointer(before)), unsafe.Sizeof(*set), 0, 0)
	if errno != 0 {
		return fmt.Errorf("rt_sigprocmask: %w", errno)
	}
	return nil
}

// signalSelf sends the signal to this thread, which blocks it, and takes it back.
func signalSelf(set *uint64) error {
	const without = "its threads may not signal each other, and a change of all of them would wait without end: "
	if err := signalThread(unix.Gettid(), threadSignal); err != nil {
		return fmt.Errorf(without+"%w", err)
	}
	var now unix.Timespec
	signal, _, errno := unix.RawSyscall6(unix.SYS_RT_SIGTIMEDWAIT, uintptr(unsafe.Pointer(set)), 0,
		uintptr(unsafe.Pointer(&now)), unsafe.Sizeof(*set), 0, 0)
	if errno != 0 || signal != threadSignal {
		return fmt.Errorf(without+"a signal that was sent did not arrive: rt_sigtimedwait: %w", errno)
	}
	return nil
}
