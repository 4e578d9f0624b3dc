package machine

import "fmt"

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
