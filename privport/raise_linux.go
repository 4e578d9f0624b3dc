package privport

import (
	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/internal/thread"
	"golang.org/x/sys/unix"
)

// raise runs bind on a thread of its own with cap_net_bind_service effective
// there alone, and reports whether it did. It does not where the capability is
// not permitted, or effective already, so that raising would change nothing.
func raise(bind func()) bool {
	return thread.Run(func() bool { return raiseHere(bind) })
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
