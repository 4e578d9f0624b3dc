package privport

import (
	"context"
	"errors"
	"net"
	"syscall"
)

// A Via says how a listener was got.
type Via string

const (
	Plain  Via = "plain"  // by bind(2) as it is
	Raised Via = "raised" // with cap_net_bind_service made effective for the one call
)

// Listen announces on a TCP address. It binds plainly first: that is the only
// reliable check. Where the kernel answers EACCES and this thread has
// cap_net_bind_service permitted but not effective, it binds once more on an
// operating system thread of its own where the capability is raised, which ends
// afterwards: no other goroutine ever runs with it.
//
// The error is the *net.OpError of the plain bind, unless the raised one failed
// for another reason.
func Listen(ctx context.Context, network, address string) (net.Listener, Via, error) {
	var lc net.ListenConfig
	ln, err := lc.Listen(ctx, network, address)
	if !errors.Is(err, syscall.EACCES) {
		return ln, Plain, err
	}
	var raised error
	if !raise(func() { ln, raised = lc.Listen(ctx, network, address) }) {
		return nil, Plain, err
	}
	return ln, Raised, raised
}
