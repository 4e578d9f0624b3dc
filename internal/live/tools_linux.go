package live

import (
	"cmp"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/lowport/lowport/internal/facts"
)

// tools looks for the programs of printed commands. What may not be looked at is an error, and not
// absent.
func tools() (facts.Tools, error) {
	_, sudo, errSudo := find("sudo")
	path, setpriv, errSetpriv := find("setpriv")
	_, box, errBox := find("busybox")
	if err := cmp.Or(errSudo, errSetpriv, errBox); err != nil {
		return facts.Tools{}, err
	}
	to, _ := os.Readlink(path)
	isBox := filepath.Base(to) == "busybox" || os.SameFile(setpriv, box)
	return facts.Tools{Sudo: sudo != nil, Setpriv: setpriv != nil && !isBox}, nil
}

// find returns the file that root's shell and sudo(8) would execute for a name, none if there is
// none.
func find(name string) (path string, info os.FileInfo, err error) {
	for _, dir := range []string{"/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"} {
		path := filepath.Join(dir, name)
		info, err := os.Stat(path)
		switch {
		case err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0:
			return path, info, nil
		case err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, unix.ENOTDIR):
			return "", nil, err
		}
	}
	return "", nil, nil
}
