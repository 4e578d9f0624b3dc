package drop

import (
	"fmt"
	"os"

	"github.com/lowport/lowport/caps"
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
	m, err := caps.ParseIDMap(b)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	for _, id := range ids {
		if _, ok := m.Outside(id); !ok {
			return fmt.Errorf("%s: id %d is not in this user namespace", path, id)
		}
	}
	return nil
}
