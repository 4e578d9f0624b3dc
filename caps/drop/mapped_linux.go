package drop

import (
	"bytes"
	"fmt"
	"os"
)

// mapped checks that the user exists in this user namespace. An id that has no
// place in it reads as the overflow id in /proc, 65534, which is also what
// "nobody" has: user_namespaces(7).
func mapped(u User) error {
	if err := allMapped("/proc/self/uid_map", u.UID); err != nil {
		return err
	}
	return allMapped("/proc/self/gid_map", append([]uint32{u.GID}, u.Groups...)...)
}

func allMapped(path string, ids ...uint32) error {
	b, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var ranges [][]uint32
	for line := range bytes.Lines(b) {
		r, err := parseNumbers(line)
		if err != nil || len(r) != 3 {
			return fmt.Errorf("%s: %q is not a range of ids", path, line)
		}
		ranges = append(ranges, r)
	}
next:
	for _, id := range ids {
		for _, r := range ranges {
			if first, count := r[0], r[2]; id >= first && id-first < count {
				continue next
			}
		}
		return fmt.Errorf("%s: id %d is not in this user namespace", path, id)
	}
	return nil
}
