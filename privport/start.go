package privport

import (
	"fmt"
	"strconv"
	"strings"
)

// Start returns the first port that needs no privilege in the network namespace of
// the calling thread: net.ipv4.ip_unprivileged_port_start, which governs IPv4 and
// IPv6, TCP and UDP. The kernel's default is 1024; 0 means that no port is
// privileged.
//
// An error says what could not be read, such as a /proc that is not there; off
// Linux it wraps [errors.ErrUnsupported].
func Start() (int, error) { return start() }

// OwnNetwork reports whether the capabilities of the calling thread count for its
// network namespace. They do not if that namespace is owned by a user namespace
// outside ours, as in a user namespace on the host's network: the kernel then
// refuses whatever CapEff says (ns_capable).
//
// Where that cannot be told the answer is false, with an error as of [Start].
func OwnNetwork() (bool, error) { return ownNetwork() }

// parseStart reads the number of the sysctl, which ends in a newline.
func parseStart(line string) (int, error) {
	digits, whole := strings.CutSuffix(line, "\n")
	port, err := strconv.ParseUint(digits, 10, 32)
	if err != nil || !whole || port > 65536 {
		return 0, fmt.Errorf("%s: %q is not a port", startFile, line)
	}
	return int(port), nil
}

const startFile = "/proc/sys/net/ipv4/ip_unprivileged_port_start"
