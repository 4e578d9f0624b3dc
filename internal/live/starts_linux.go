package live

import (
	"golang.org/x/sys/unix"
)

// Listen names the errno with which a filter refuses listen(2) to this process, "" if none
// does. It calls listen(2) without a socket: past the filter, the kernel answers EBADF.
func Listen() string {
	_, _, errno := unix.Syscall(unix.SYS_LISTEN, ^uintptr(0), 0, 0)
	if errno == unix.EBADF {
		return ""
	}
	return Reason(errno)
}

// Capset names the errno with which a filter refuses capset(2) or capget(2) to this thread, ""
// if it refuses neither. Raising a capability needs both. The thread sets what it holds,
// which the kernel always allows (cap_capset).
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
