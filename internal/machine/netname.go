package machine

import (
	"errors"
	"strings"
)

// How a record says which network namespace this is: that of process 1, or one that
// is mounted there.
const (
	netOfFirst = "of process 1\n"
	netFolder  = "/run/netns/"
)

func parseNetName(b []byte) (string, error) {
	path, whole := strings.CutSuffix(string(b), "\n")
	name, named := strings.CutPrefix(path, netFolder)
	switch {
	case string(b) == netOfFirst:
		return "", nil
	case !whole || !named || !netNameFits(name):
		return "", errors.New("not the name of a network namespace")
	}
	return name, nil
}

// netNameFits says whether ip-netns(8) takes the name in a command.
func netNameFits(name string) bool {
	return name != "" && name[0] != '-' && name[0] != '.' && !strings.ContainsFunc(name, func(c rune) bool {
		return c <= ' ' || c > '~' || c == '/'
	})
}

func maskNetName(b []byte, _ addrMask) ([]byte, bool) {
	if string(b) == netOfFirst {
		return b, true
	}
	return []byte(netFolder + maskedUser + "\n"), true
}
