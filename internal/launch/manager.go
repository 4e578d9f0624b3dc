package launch

import (
	"io/fs"
	"path"
	"strconv"
	"strings"
)

// Version is that of the systemd installed on root, 0 where that is not known. Its private
// library has the number in its name.
func Version(root fs.FS) int {
	for _, pattern := range []string{"usr/lib/*/systemd/libsystemd-shared-*.so", "usr/lib/systemd/libsystemd-shared-*.so",
		"lib/systemd/libsystemd-shared-*.so", "usr/lib64/systemd/libsystemd-shared-*.so"} {
		names, err := fs.Glob(root, pattern)
		if err != nil || len(names) != 1 {
			continue
		}
		number := strings.TrimSuffix(strings.TrimPrefix(path.Base(names[0]), "libsystemd-shared-"), ".so")
		digits := strings.IndexFunc(number, func(c rune) bool { return c < '0' || c > '9' })
		if digits >= 0 { // 257-1~deb13u1, 252.39
			number = number[:digits]
		}
		if v, err := strconv.Atoi(number); err == nil {
			return v
		}
	}
	return 0
}
