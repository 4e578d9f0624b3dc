package launch

import (
	"bytes"
	"io/fs"
	"path"
	"strconv"
	"strings"
)

// A Build is how the systemd installed on a file system was built.
type Build struct {
	Version int  // 0: not known
	NoBPF   bool // without BPF, so that SocketBindDeny= and the like are passed over
}

// BuildOf reads it from systemd's private library, which has the version in its name and
// the list of its features inside.
func BuildOf(root fs.FS) (b Build) {
	for _, pattern := range []string{"usr/lib/*/systemd/libsystemd-shared-*.so", "usr/lib/systemd/libsystemd-shared-*.so",
		"lib/systemd/libsystemd-shared-*.so", "usr/lib64/systemd/libsystemd-shared-*.so"} {
		names, err := fs.Glob(root, pattern)
		if err != nil || len(names) != 1 {
			continue
		}
		number := strings.TrimSuffix(strings.TrimPrefix(path.Base(names[0]), "libsystemd-shared-"), ".so")
		number = strings.TrimSuffix(number, strings.TrimLeft(number, "0123456789")) // 257-1~deb13u1, 252.39
		if b.Version, err = strconv.Atoi(number); err != nil {
			continue
		}
		content, err := fs.ReadFile(root, names[0])
		b.NoBPF = err == nil && bytes.Contains(content, []byte("-BPF_FRAMEWORK"))
		return b
	}
	return Build{}
}
