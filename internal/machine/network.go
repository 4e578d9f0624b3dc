package machine

import (
	"fmt"
	"strings"
)

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
