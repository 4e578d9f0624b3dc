package caps

import (
	"encoding/binary"
	"os"
	"strings"

	"github.com/lowport/lowport/internal/task"
	"golang.org/x/sys/unix"
)

// A reader is what a worker reads folders with.
type reader struct {
	*scanner
	buf  []byte    // of directory entries
	attr [256]byte // the value of an attribute, or names of attributes
}

func (r *reader) read(f *folder) {
	fail := func(op string, err error) {
		path := r.root + f.path
		f.items = append(f.items, scanItem{found: Found{Path: path}, err: &os.PathError{Op: op, Path: path, Err: err}})
	}
	fd, err := r.open(f.path)
	if err == unix.ENOENT && f.path != "" {
		return // removed meanwhile
	}
	if err != nil {
		fail("open", err)
		return
	}
	defer unix.Close(fd)
	var stat unix.Stat_t
	if err := unix.Fstat(fd, &stat); err != nil {
		fail("stat", err)
		return
	}
	fs := f.above
	if dev := uint64(stat.Dev); dev != fs.dev {
		if fs, err = r.filesystem(fd, dev); err != nil {
			fail("statfs", err)
			return
		}
	}
	if fs.pseudo {
		return
	}
	for {
		n, err := task.IgnoreEINTR(func() (int, error) { return unix.Getdents(fd, r.buf) })
		if err != nil && err != unix.ENOENT { // removed meanwhile
			fail("read", err)
		}
		if n <= 0 {
			return
		}
		for entry := r.buf[:n]; len(entry) > 0; {
			// struct linux_dirent64
			size := binary.NativeEndian.Uint16(entry[16:])
			kind, name := entry[18], entry[19:size:size] // which ends in 0
			entry = entry[size:]
			if kind == unix.DT_UNKNOWN {
				kind = kindOf(fd, name)
			}
			switch kind {
			case unix.DT_DIR:
				if s := unix.ByteSliceToString(name); s != "." && s != ".." {
					path := s
					if f.path != "" {
						path = f.path + "/" + s
					}
					f.items = append(f.items, scanItem{folder: &folder{path: path, above: fs}})
				}
			case unix.DT_REG:
				if fs.lists && r.lacks(fd, name) {
					continue
				}
				n, err := r.getxattr(fd, name)
				if err == unix.ENODATA || err == unix.EOPNOTSUPP || err == unix.ENOENT {
					continue
				}
				path := r.root + unix.ByteSliceToString(name)
				if f.path != "" {
					path = r.root + f.path + "/" + unix.ByteSliceToString(name)
				}
				item := scanItem{found: Found{Path: path}}
				var e error
				if err != 0 {
					e = err
				}
				item.found.File, item.err = decodeAttr(path, r.attr[:], n, e)
				f.items = append(f.items, item)
			}
		}
	}
}

// open opens a folder below the root, following no link anywhere.
func (r *reader) open(path string) (int, error) {
	if path == "" {
		path = "."
	}
	if len(path) >= unix.PathMax {
		return -1, unix.ENAMETOOLONG
	}
	fd, err := task.IgnoreEINTR(func() (int, error) {
		return unix.Openat2(r.fd, path, &unix.OpenHow{Flags: openFolder, Resolve: unix.RESOLVE_NO_SYMLINKS})
	})
	if err == unix.ENOSYS || err == unix.EPERM { // before Linux 5.6, or an old seccomp filter
		return openEach(r.fd, path)
	}
	return fd, err
}

const openFolder = unix.O_RDONLY | unix.O_DIRECTORY | unix.O_NOFOLLOW | unix.O_CLOEXEC

// openEach opens a folder below dir, one element of path after the other.
func openEach(dir int, path string) (int, error) {
	fd := dir
	for name := range strings.SplitSeq(path, "/") {
		next, err := task.IgnoreEINTR(func() (int, error) { return unix.Openat(fd, name, openFolder, 0) })
		if fd != dir {
			unix.Close(fd)
		}
		if err != nil {
			return -1, err
		}
		fd = next
	}
	return fd, nil
}

// kindOf asks for the type of an entry where the filesystem does not tell.
func kindOf(dir int, name []byte) byte {
	var stat unix.Stat_t
	if unix.Fstatat(dir, unix.ByteSliceToString(name), &stat, unix.AT_SYMLINK_NOFOLLOW) != nil {
		return unix.DT_REG // let getxattr say what is wrong
	}
	return byte(stat.Mode & unix.S_IFMT >> 12) // IFTODT
}
