package live

import (
	"golang.org/x/sys/unix"
)

// Listen names the errno with which a filter refuses listen(2) to this process, "" for
// none. No socket listens: the kernel answers EBADF, which comes behind the filter.
func Listen() string {
	_, _, errno := unix.Syscall(unix.SYS_LISTEN, ^uintptr(0), 0, 0)
	if errno == unix.EBADF {
		return ""
	}
	return Reason(errno)
}

// Capset names the errno with which a filter refuses capset(2) to this thread, or capget(2),
// without which nothing is raised; "" for none. The thread asks for what it holds, which the
// kernel always gives (cap_capset).
func Capset() string {
	hdr := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var held [2]unix.CapUserData
	if err := unix.Capget(&hdr, &held[0]); err != nil {
		return Reason(err)
	}
	if err := unix.Capset(&hdr, &held[0]); err != nil {
		return Reason(err)
	}
	return ""
}
