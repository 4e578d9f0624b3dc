package began

import (
	"github.com/lowport/lowport/caps"
	"golang.org/x/sys/unix"
)

// Variables of packages are initialized on the first thread (runtime.main). Two system
// calls are all that importing this costs.
var state, ok = read()

func read() (State, bool) {
	hdr := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	if err := unix.Capget(&hdr, &data[0]); err != nil {
		return State{}, false
	}
	noNewPrivs, err := unix.PrctlRetInt(unix.PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0)
	if err != nil {
		return State{}, false
	}
	set := func(low, high uint32) caps.Set { return caps.Set(uint64(high)<<32 | uint64(low)) }
	return State{
		Inheritable: set(data[0].Inheritable, data[1].Inheritable),
		Permitted:   set(data[0].Permitted, data[1].Permitted),
		Effective:   set(data[0].Effective, data[1].Effective),
		NoNewPrivs:  noNewPrivs == 1,
	}, true
}
