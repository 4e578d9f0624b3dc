// Package task lists the numbered entries of a folder of /proc, which are threads or
// processes, and reads their files with no more system calls than that takes.
package task

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// A Dir is an open folder such as /proc or /proc/self/task. Close it after use. It is
// not safe for concurrent use.
type Dir struct {
	path string
	fd   int
	buf  []byte // of what was read last

	listed bool // and the next list begins anew
}

// Open opens the folder.
func Open(path string) (*Dir, error) {
	fd, err := IgnoreEINTR(func() (int, error) {
		return unix.Open(path, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	})
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: path, Err: err}
	}
	return &Dir{path: path, fd: fd}, nil
}

func (d *Dir) Close() { unix.Close(d.fd) }

const usual = 16 << 10 // bytes of room for a list, or a file

// room returns that many bytes to read into.
func (d *Dir) room(size int) []byte {
	if len(d.buf) < size {
		d.buf = make([]byte, size)
	}
	return d.buf[:size]
}

// IDs appends to ids the numbers in the folder, in its order. Other names are left out.
func (d *Dir) IDs(ids []int) ([]int, error) {
	return d.list(ids, d.room(usual), false)
}

// First is IDs for at most that many numbers, which are the first ones.
func (d *Dir) First(ids []int, most int) ([]int, error) {
	const size = 24                                      // of a struct linux_dirent64 with a name of up to four digits
	ids, err := d.list(ids, d.room((most+2)*size), true) // and "." and ".."
	return ids[:min(most, len(ids))], err
}

// list reads into buf until there is nothing more, or once.
func (d *Dir) list(ids []int, buf []byte, once bool) ([]int, error) {
	if d.listed {
		if _, err := unix.Seek(d.fd, 0, unix.SEEK_SET); err != nil {
			return nil, &os.PathError{Op: "seek", Path: d.path, Err: err}
		}
	}
	d.listed = true
	for {
		n, err := IgnoreEINTR(func() (int, error) { return unix.Getdents(d.fd, buf) })
		if err != nil {
			return nil, &os.PathError{Op: "getdents64", Path: d.path, Err: err}
		}
		if n == 0 {
			return ids, nil
		}
		if ids = numbers(ids, buf[:n]); once {
			return ids, nil
		}
	}
}

// numbers appends the names that are numbers among entries of struct linux_dirent64.
func numbers(ids []int, entries []byte) []int {
	for len(entries) > 0 {
		size := binary.NativeEndian.Uint16(entries[16:])
		if id, ok := number(entries[19:size]); ok {
			ids = append(ids, id)
		}
		entries = entries[size:]
	}
	return ids
}

// number reads a name that ends in 0.
func number(name []byte) (id int, ok bool) {
	for i, c := range name {
		switch {
		case c == 0:
			return id, i > 0
		case c < '0' || c > '9' || i > 9:
			return 0, false
		}
		id = id*10 + int(c-'0')
	}
	return 0, false
}

// Read returns the file of an entry, as [ReadFile] does. The bytes are valid until the
// next call of a method. Where the thread or process has ended meanwhile the error wraps
// ENOENT or ESRCH.
func (d *Dir) Read(id int, file string) ([]byte, error) {
	b, err := readAt(d.fd, strconv.Itoa(id)+"/"+file, d.room(max(usual, len(d.buf))))
	if err != nil {
		err.Path = d.path + "/" + err.Path
		return nil, err
	}
	if len(b) > len(d.buf) {
		d.buf = b[:cap(b)]
	}
	return b, nil
}

// Link returns where an entry leads that is a symbolic link, as far as that has room in 64
// bytes.
func (d *Dir) Link(id int) (string, error) {
	var link [64]byte
	n, err := unix.Readlinkat(d.fd, strconv.Itoa(id), link[:])
	if err != nil {
		return "", &os.PathError{Op: "readlink", Path: d.path + "/" + strconv.Itoa(id), Err: err}
	}
	return string(link[:n]), nil
}

// ReadFile returns a file of /proc by open(2), read(2) and close(2), in buf if it fits.
// Such a file is made when it is read, and read(2) returns as much of it as there is
// room for; so less than that is all of it.
func ReadFile(path string, buf []byte) ([]byte, error) {
	b, err := readAt(unix.AT_FDCWD, path, buf)
	if err != nil {
		return nil, err
	}
	return b, nil
}

// ReadAll returns a file by open(2), read(2) up to its end, and close(2), and so with fewer
// system calls than os.ReadFile. A file longer than limit bytes is an error.
func ReadAll(path string, limit int) ([]byte, error) {
	fd, err := IgnoreEINTR(func() (int, error) { return unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0) })
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: path, Err: err}
	}
	defer unix.Close(fd)
	var room [4096]byte
	buf, n := room[:], 0
	for n <= limit {
		if n == len(buf) {
			buf = append(buf, make([]byte, len(buf))...)
		}
		more, err := IgnoreEINTR(func() (int, error) { return unix.Read(fd, buf[n:]) })
		if err != nil {
			return nil, &os.PathError{Op: "read", Path: path, Err: err}
		}
		if more == 0 {
			return bytes.Clone(buf[:n]), nil
		}
		n += more
	}
	return nil, fmt.Errorf("longer than %d bytes", limit)
}

func readAt(dir int, name string, buf []byte) ([]byte, *os.PathError) {
	fd, err := IgnoreEINTR(func() (int, error) { return unix.Openat(dir, name, unix.O_RDONLY|unix.O_CLOEXEC, 0) })
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: name, Err: err}
	}
	defer unix.Close(fd)
	for all := 0; ; {
		n, err := IgnoreEINTR(func() (int, error) { return unix.Read(fd, buf[all:]) })
		if err != nil {
			return nil, &os.PathError{Op: "read", Path: name, Err: err}
		}
		if all += n; all < len(buf) {
			return buf[:all], nil
		}
		buf = append(buf, make([]byte, len(buf)+1)...)
	}
}

// IgnoreEINTR makes a system call until no signal interrupts it.
func IgnoreEINTR(f func() (int, error)) (int, error) {
	for {
		if n, err := f(); err != unix.EINTR {
			return n, err
		}
	}
}
