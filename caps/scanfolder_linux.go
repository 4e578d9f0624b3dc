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

// read reads a folder, or a part of it: the rest of a large one it leaves to whoever is
// free, and looks at the files meanwhile.
func (r *reader) read(f *folder) {
	fd, fs, ok := r.enter(f)
	if !ok {
		return
	}
	defer func() { unix.Close(fd) }()
	for {
		n, err := task.IgnoreEINTR(func() (int, error) { return unix.Getdents(fd, r.buf) })
		if err != nil && err != unix.ENOENT { // removed meanwhile
			r.fail(f, "read", err)
		}
		if n <= 0 {
			return
		}
		shared := n > len(r.buf)/2 && r.share(f, fd, fs)
		r.entries(f, fd, fs, r.buf[:n])
		if shared {
			return
		}
	}
}

// enter opens a folder and finds out what it lies on. Where there is nothing to be read it
// reports false.
func (r *reader) enter(f *folder) (fd int, fs filesystem, ok bool) {
	if f.fd > 0 {
		return f.fd, f.above, true
	}
	fd, err := r.open(f.path)
	if err == unix.ENOENT && f.path != "" {
		return 0, fs, false // removed meanwhile
	}
	if err != nil {
		r.fail(f, "open", err)
		return 0, fs, false
	}
	if fs, err = r.lies(fd, f); err != nil || fs.pseudo {
		unix.Close(fd)
		return 0, fs, false
	}
	return fd, fs, true
}

// lies returns what the open folder lies on: mostly what the folder above does.
func (r *reader) lies(fd int, f *folder) (filesystem, error) {
	var stat unix.Stat_t
	if err := unix.Fstat(fd, &stat); err != nil {
		r.fail(f, "stat", err)
		return filesystem{}, err
	}
	if dev := uint64(stat.Dev); dev != f.above.dev {
		fs, err := r.filesystem(fd, dev)
		if err != nil {
			r.fail(f, "statfs", err)
		}
		return fs, err
	}
	return f.above, nil
}

func (r *reader) fail(f *folder, op string, err error) {
	path := r.root + f.path
	f.items = append(f.items, scanItem{found: Found{Path: path}, err: &os.PathError{Op: op, Path: path, Err: err}})
}

// share has the rest of an open folder read by whoever is free, and reports whether it is.
// Both descriptors have one offset.
func (r *reader) share(f *folder, fd int, fs filesystem) bool {
	next, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 3)
	if err != nil {
		return false
	}
	part := &folder{path: f.path, above: fs, fd: next}
	f.rest = part
	if !r.add(part, f) {
		unix.Close(next)
		f.rest = nil
	}
	return f.rest != nil
}

// entries looks at some entries of a folder: it notes the folders, and the files that have
// capabilities.
func (r *reader) entries(f *folder, fd int, fs filesystem, entries []byte) {
	for len(entries) > 0 {
		// struct linux_dirent64
		size := binary.NativeEndian.Uint16(entries[16:])
		kind, name := entries[18], entries[19:size:size] // which ends in 0
		entries = entries[size:]
		if kind == unix.DT_UNKNOWN {
			kind = kindOf(fd, name)
		}
		switch kind {
		case unix.DT_DIR:
			if s := unix.ByteSliceToString(name); s != "." && s != ".." {
				f.items = append(f.items, scanItem{folder: &folder{path: f.below(s), above: fs}})
			}
		case unix.DT_REG:
			if item, ok := r.file(f, fd, fs, name); ok {
				f.items = append(f.items, item)
			}
		}
	}
}

// below is the path of what is in the folder.
func (f *folder) below(name string) string {
	if f.path == "" {
		return name
	}
	return f.path + "/" + name
}

// file reads the capabilities of a file, whose name ends in 0, and reports whether there is
// something to yield.
func (r *reader) file(f *folder, fd int, fs filesystem, name []byte) (item scanItem, ok bool) {
	if fs.lists && r.lacks(fd, name) {
		return item, false
	}
	n, errno := r.getxattr(fd, name)
	if errno == unix.ENODATA || errno == unix.EOPNOTSUPP || errno == unix.ENOENT {
		return item, false
	}
	path := r.root + f.below(unix.ByteSliceToString(name))
	item = scanItem{found: Found{Path: path}}
	var err error
	if errno != 0 {
		err = errno
	}
	item.found.File, item.err = decodeAttr(path, r.attr[:], n, err)
	return item, true
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
