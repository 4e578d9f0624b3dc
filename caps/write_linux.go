package caps

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

func readOpen(file *os.File) (f File, err error) {
	err = withFD(file, func(fd int) error {
		var buf [64]byte
		n, err := unix.Fgetxattr(fd, attrName, buf[:])
		f, err = decodeAttr(file.Name(), buf[:], n, err)
		return err
	})
	return f, err
}

// withFD calls f with the descriptor of file, which stays open meanwhile.
func withFD(file *os.File, f func(fd int) error) error {
	c, err := file.SyscallConn()
	if err != nil {
		return err
	}
	var inner error
	err = c.Control(func(fd uintptr) { inner = f(int(fd)) })
	return errors.Join(err, inner)
}

// openRegular opens a file without following a link in the last element and
// without waiting for a FIFO.
func openRegular(path string) (*os.File, error) {
	file, err := os.OpenFile(path, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK|unix.O_NOCTTY, 0)
	if errors.Is(err, unix.ELOOP) || errors.Is(err, unix.ENXIO) { // a link, or a socket
		if info, e := os.Lstat(path); e == nil && !info.Mode().IsRegular() {
			err = &os.PathError{Op: "open", Path: path, Err: ErrNotRegular}
		}
	}
	return file, err
}

func writeFile(path string, f File, accept Danger) error {
	file, err := openRegular(path)
	if err != nil {
		return err
	}
	defer file.Close()
	return writeOpen(file, f, accept)
}

func writeOpen(file *os.File, f File, accept Danger) error {
	attr, err := f.MarshalBinary()
	if err != nil {
		return err
	}
	danger, err := dangersOf(file, accept)
	if err != nil {
		return err
	}
	if danger &^= accept; danger != 0 {
		return &DangerError{Path: file.Name(), Danger: danger}
	}
	err = withFD(file, func(fd int) error {
		err := unix.Fsetxattr(fd, attrName, attr, 0)
		if err == unix.EOPNOTSUPP {
			err = ErrNoAttributes
		}
		if err != nil {
			return &os.PathError{Op: "setxattr", Path: file.Name(), Err: err}
		}
		return nil
	})
	if err != nil {
		return err
	}
	got, err := readOpen(file)
	if err != nil {
		return err
	}
	// What is for this namespace reads as version 2, without its root id.
	if want := f; !got.same(want) && got.Version == 2 {
		want.RootID = 0
		if got.same(want) {
			return nil
		}
	} else if got.same(want) {
		return nil
	}
	return &MismatchError{Path: file.Name(), Got: got, Want: f}
}

func removeFile(path string) error {
	file, err := openRegular(path)
	if err != nil {
		return err
	}
	defer file.Close()
	return removeOpen(file)
}

func removeOpen(file *os.File) error {
	if err := regular(file); err != nil {
		return err
	}
	return withFD(file, func(fd int) error {
		err := unix.Fremovexattr(fd, attrName)
		if err == unix.ENODATA {
			err = ErrNoCaps
		}
		if err != nil {
			return &os.PathError{Op: "removexattr", Path: file.Name(), Err: err}
		}
		if _, err := unix.Fgetxattr(fd, attrName, nil); err != unix.ENODATA {
			return &os.PathError{Op: "removexattr", Path: file.Name(), Err: errors.New("the capabilities are still there")}
		}
		return nil
	})
}

func regular(file *os.File) error {
	info, err := file.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = &os.PathError{Op: "open", Path: file.Name(), Err: ErrNotRegular}
	}
	return err
}

func dangers(path string) (Danger, error) {
	file, err := os.OpenFile(path, unix.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		return 0, err
	}
	defer file.Close()
	return dangersOf(file, 0)
}

// dangersOf looks at an open regular file and the folders above it. What is
// accepted anyway is not looked for where that could fail.
func dangersOf(file *os.File, accept Danger) (Danger, error) {
	if err := regular(file); err != nil {
		return 0, err
	}
	var d Danger
	var magic [4]byte
	switch n, err := file.ReadAt(magic[:], 0); {
	case err != nil && err != io.EOF:
		return 0, err
	case string(magic[:n]) != "\x7fELF":
		d |= NotELF
	}
	var stat unix.Stat_t
	var fs unix.Statfs_t
	var path string
	err := withFD(file, func(fd int) (err error) {
		if err = unix.Fstat(fd, &stat); err != nil {
			return err
		}
		if err = unix.Fstatfs(fd, &fs); err != nil || accept.has(Interpreter|WritableFolder) {
			return err
		}
		if path, err = os.Readlink(fmt.Sprintf("/proc/self/fd/%d", fd)); err != nil {
			// Not %w: it is not the file that does not exist.
			return fmt.Errorf("its real path, by which interpreters and folders are told, is not known: %v", err)
		}
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("%s: %w", file.Name(), err)
	}
	if !accept.has(Interpreter) {
		interprets, err := Interprets(file, stat.Size, filepath.Base(path))
		if err != nil {
			return 0, fmt.Errorf("%s: %w", file.Name(), err)
		}
		if interprets {
			d |= Interpreter
		}
	}
	if stat.Mode&0o022 != 0 {
		d |= WritableFile
	}
	if stat.Mode&(unix.S_ISUID|unix.S_ISGID) != 0 {
		d |= SetID
	}
	if fs.Flags&unix.ST_NOSUID != 0 {
		d |= Nosuid
	}
	if !accept.has(WritableFolder) {
		writable, err := foldersWritable(path, stat)
		if err != nil {
			return 0, err
		}
		if writable {
			d |= WritableFolder
		}
	}
	return d, nil
}

// foldersWritable walks the real path of a file from the root down, a
// descriptor at a time, and says whether others may write a folder on the way.
func foldersWritable(path string, file unix.Stat_t) (bool, error) {
	fail := func(err error) (bool, error) { return false, &os.PathError{Op: "walk to", Path: path, Err: err} }
	const flags = unix.O_PATH | unix.O_DIRECTORY | unix.O_NOFOLLOW | unix.O_CLOEXEC
	dir, err := unix.Open("/", flags, 0)
	if err != nil {
		return fail(err)
	}
	defer func() { unix.Close(dir) }()
	writable := false
	elements := strings.Split(strings.TrimPrefix(path, "/"), "/")
	for i, name := range elements {
		var stat unix.Stat_t
		if err := unix.Fstat(dir, &stat); err != nil {
			return fail(err)
		}
		if stat.Mode&0o022 != 0 && stat.Mode&unix.S_ISVTX == 0 {
			writable = true
		}
		if i == len(elements)-1 {
			if err := unix.Fstatat(dir, name, &stat, unix.AT_SYMLINK_NOFOLLOW); err != nil {
				return fail(err)
			}
			if stat.Dev != file.Dev || stat.Ino != file.Ino {
				return fail(errors.New("another file is there now"))
			}
			return writable, nil
		}
		next, err := unix.Openat(dir, name, flags, 0)
		if err != nil {
			return fail(err)
		}
		unix.Close(dir)
		dir = next
	}
	return fail(unix.ENOENT)
}
