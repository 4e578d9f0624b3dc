package privport

import (
	"errors"
	"fmt"
	"runtime"

	"github.com/lowport/lowport/internal/machine"
)

// Start returns the first port that needs no privilege in this network
// namespace: net.ipv4.ip_unprivileged_port_start, which governs IPv4 and IPv6,
// TCP and UDP. The kernel's default is 1024; 0 means that no port is privileged.
//
// An error says what could not be read, such as a /proc that is not there; off
// Linux it wraps [errors.ErrUnsupported].
func Start() (int, error) {
	return known(machine.Live().Facts().PortStart)
}

// OwnNetwork reports whether the capabilities that this process holds count for
// its network namespace. They do not if that namespace is owned by a user
// namespace outside ours, as in a user namespace on the host's network: the
// kernel then refuses whatever CapEff says (ns_capable).
//
// Where that cannot be told the answer is false, with an error as of [Start].
func OwnNetwork() (bool, error) {
	return own(machine.Live().Facts().NetOwner)
}

func own(f machine.Fact[machine.Owner]) (bool, error) {
	owner, err := known(f)
	return err == nil && owner != machine.OwnerOutside, err
}

func known[T any](f machine.Fact[T]) (T, error) {
	v, ok := f.Is()
	switch {
	case ok:
		return v, nil
	case runtime.GOOS != "linux":
		return v, fmt.Errorf("privileged ports on %s: %w", runtime.GOOS, errors.ErrUnsupported)
	default:
		return v, fmt.Errorf("%s: %s", f.Source, f.Reason)
	}
}
