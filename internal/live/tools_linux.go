package live

import (
	"os"
	"path/filepath"

	"github.com/lowport/lowport/internal/facts"
)

// tools looks for the programs of printed commands below a root.
func tools(root string) facts.Tools {
	_, _, sudo := find(root, "sudo")
	setpriv, its, ok := find(root, "setpriv")
	_, box, hasBox := find(root, "busybox")
	isBox := filepath.Base(setpriv) == "busybox" || hasBox && ok && os.SameFile(its, box)
	return facts.Tools{Sudo: sudo, Setpriv: ok && !isBox}
}

// find returns the file that root's shell and sudo(8) would execute for a name, without symbolic
// links.
func find(root, name string) (path string, info os.FileInfo, ok bool) {
	for _, dir := range []string{"usr/local/sbin", "usr/local/bin", "usr/sbin", "usr/bin", "sbin", "bin"} {
		path, err := filepath.EvalSymlinks(filepath.Join(root, dir, name))
		if err != nil {
			continue
		}
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0 {
			return path, info, true
		}
	}
	return "", nil, false
}
