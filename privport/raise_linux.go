package privport

import (
	"runtime"

	"github.com/lowport/lowport/caps"
	"golang.org/x/sys/unix"
)

// raise runs bind on a thread of its own with cap_net_bind_service effective
// there alone, and reports whether it did. It does not where the capability is
// not permitted, or effective already, so that raising would change nothing.
func raise(bind func()) bool {
	done := make(chan bool)
	go onThread(func() { done <- raiseHere(bind) })
	return <-done
}

// onThread runs f on an operating system thread that ends with this goroutine:
// it stays locked. The main thread would be parked instead of ended, so there
// f runs on another one while this goroutine holds the main thread back.
func onThread(f func()) {
	runtime.LockOSThread()
	if unix.Gettid() != unix.Getpid() {
		f()
		return
	}
	done := make(chan struct{})
	go func() { defer close(done); onThread(f) }()
	<-done
	runtime.UnlockOSThread()
}

// raiseHere does it on the calling thread, and lowers the capability again
// before it returns: the thread ends right after, but a moment is a moment.
func raiseHere(bind func()) bool {
	const need = 1 << caps.NET_BIND_SERVICE
	hdr := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	if err := unix.Capget(&hdr, &data[0]); err != nil {
		return false
	}
	if data[0].Permitted&need == 0 || data[0].Effective&need != 0 {
		return false
	}
	up := data
	up[0].Effective |= need
	if err := unix.Capset(&hdr, &up[0]); err != nil {
		return false
	}
	defer unix.Capset(&hdr, &data[0])
	bind()
	return true
}
