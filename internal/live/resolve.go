package live

import (
	"io/fs"
	"path"
	"strings"
	"syscall"
)

// maxLinks bounds the links of one path (MAXSYMLINKS).
const maxLinks = 40

// Resolve follows a path to what it names, by the links of the file system alone: one that is
// absolute starts at its root, and none leads out of it. It returns the path without links, with
// its leading slash.
func Resolve(root fs.FS, name string) (string, error) {
	at, rest := "/", strings.Split(path.Join("/", name), "/")
	for links := 0; len(rest) > 0; {
		part := rest[0]
		rest = rest[1:]
		switch part {
		case "", ".":
			continue
		case "..":
			at = path.Dir(at)
			continue
		}
		next := path.Join(at, part)
		info, err := fs.Lstat(root, next[1:])
		if err != nil {
			return "", err
		}
		if info.Mode()&fs.ModeSymlink == 0 {
			at = next
			continue
		}
		if links++; links > maxLinks {
			return "", &fs.PathError{Op: "open", Path: name, Err: syscall.ELOOP}
		}
		target, err := fs.ReadLink(root, next[1:])
		if err != nil {
			return "", err
		}
		if path.IsAbs(target) {
			at = "/"
		}
		rest = append(strings.Split(target, "/"), rest...)
	}
	return at, nil
}
