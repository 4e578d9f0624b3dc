package facts

import (
	"fmt"
	"strings"
)

// network is the name of our network namespace. A root of its own does not show the
// names that there are.
func network(r Record) Fact[string] {
	f := fact(r, "network namespace name", parseNetName)
	if f.State == Absent && OwnRoot(r) {
		f.State, f.Reason = Unreadable, "not to be seen from a root of its own"
	}
	return f
}

// parseNetName takes the name out of the path, byte for byte.
func parseNetName(b []byte) (string, error) {
	name, ok := strings.CutPrefix(string(b), NamedNetworks+"/")
	if !ok || name == "" || strings.Contains(name, "/") {
		return "", fmt.Errorf("%q is not in %s", b, NamedNetworks)
	}
	return name, nil
}

// NamedNetworks is where ip-netns(8) keeps the network namespaces that have names.
const NamedNetworks = "/run/netns"
