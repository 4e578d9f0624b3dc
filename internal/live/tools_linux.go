package live

import (
	"os"
	"path/filepath"

	"github.com/lowport/lowport/internal/facts"
)

// tools looks for the programs of printed commands below a root.
func tools(root string) facts.Tools {
	_, _, sudo := find(root, "sudo")
	path, setpriv, ok := find(root, "setpriv")
	return facts.Tools{Sudo: sudo, Setpriv: ok && !isBox(root, path, setpriv)}
}

// isBox reports whether a file is a link to BusyBox.
func isBox(root, path string, file os.FileInfo) bool {
	if to, err := os.Readlink(path); err == nil && filepath.Base(to) == "busybox" {
		return true
	}
	_, box, ok := find(root, "busybox")
	return ok && os.SameFile(file, box)
}

// find returns the file that root's shell and sudo(8) would execute for a name.
func find(root, name string) (path string, info os.FileInfo, ok bool) {
	for _, dir := range []string{"usr/local/sbin", "usr/local/bin", "usr/sbin", "usr/bin", "sbin", "bin"} {
		path := filepath.Join(root, dir, name)
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0 {
			return path, info, true
		}
	}
	return "", nil, false
}
