package machine

import (
	"fmt"
	"strings"
)

// parseApart reads whether this network namespace is another one than that of
// process 1.
func parseApart(b []byte) (bool, error) {
	switch string(b) {
	case "same\n":
		return false, nil
	case "another\n":
		return true, nil
	}
	return false, fmt.Errorf("%q is neither the same network nor another", b)
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
