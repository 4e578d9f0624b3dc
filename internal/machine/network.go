package machine

import (
	"fmt"
	"strings"
)

// network is the name of our network namespace. A root of its own does not show the
// names that there are.
func network(r Record) Fact[string] {
	f := fact(r, "network namespace name", parseNetName)
	if f.State == Absent && ownRoot(r) {
		f.State, f.Reason = Unreadable, "not to be seen from a root of its own"
	}
	return f
}

// parseNetName takes the name out of the path, byte for byte.
func parseNetName(b []byte) (string, error) {
	name, ok := strings.CutPrefix(string(b), namedNetworks+"/")
	if !ok || name == "" || strings.Contains(name, "/") {
		return "", fmt.Errorf("%q is not in %s", b, namedNetworks)
	}
	return name, nil
}

// namedNetworks is where ip-netns(8) keeps the network namespaces that have names.
const namedNetworks = "/run/netns"
