package audit

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/lowport/lowport/internal/task"
)

// special are the files that a descriptor should not be of: doors, and those in trees.
type special struct {
	doors map[use]*Door
	files map[file]bool
}

// of returns the door that a file is for whoever has the permission need.
func (s special) of(st unix.Stat_t, need uint32, name string) *Door {
	if d := s.doors[use{uint64(st.Dev), st.Ino, need}]; d != nil || need != 2 || !s.files[file{uint64(st.Dev), st.Ino}] {
		return d
	}
	return &Door{Path: name, Mode: st.Mode, UID: st.Uid, GID: st.Gid, Need: 2, Root: true, Allows: treeAllows}
}

// opened finds among the descriptors of a process those of doors, and every io_uring(7).
func (f files) opened(doors special) ([]Open, error) {
	dir, err := task.Open(f.path("fd"))
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	fds, err := dir.IDs(nil)
	if err != nil {
		return nil, err
	}
	all := []Open{}
	for _, fd := range fds {
		door, err := f.descriptor(fd, doors)
		if gone(err) || err == errNoDoor {
			continue // also one that was closed meanwhile
		}
		if err != nil {
			return nil, err
		}
		all = append(all, Open{FD: fd, Door: door})
	}
	shared, err := f.shared(doors)
	return append(all, shared...), err
}

// errNoDoor is of a descriptor that is nothing special.
var errNoDoor = errors.New("no door")

// descriptor returns the door that a descriptor is, nil for an io_uring.
func (f files) descriptor(fd int, doors special) (*Door, error) {
	name := "fd/" + strconv.Itoa(fd)
	link, err := os.Readlink(f.path(name))
	if err != nil {
		return nil, err
	}
	if link == "anon_inode:[io_uring]" {
		return nil, nil
	}
	if !strings.HasPrefix(link, "/") {
		return nil, errNoDoor // a socket, a pipe, memory
	}
	var st unix.Stat_t
	if err := unix.Stat(f.path(name), &st); err != nil {
		return nil, err
	}
	kind := st.Mode & unix.S_IFMT
	read, write := doors.of(st, 4, link), doors.of(st, 2, link)
	if kind == unix.S_IFBLK && read == nil {
		read = &Door{Path: link, Mode: st.Mode, UID: st.Uid, GID: st.Gid, Need: 4, Root: true, Allows: diskAllows}
	}
	if kind == unix.S_IFREG && strings.HasPrefix(link, "/proc/") && strings.HasSuffix(link, "/mem") && !strings.HasPrefix(link, "/proc/"+strconv.Itoa(f.pid)+"/") {
		write = &Door{Path: link, Mode: st.Mode, UID: st.Uid, GID: st.Gid, Need: 2, Root: true, Allows: "change the memory of that process"}
	}
	if read == nil && write == nil {
		return nil, errNoDoor
	}
	flags, err := f.flags(fd)
	if err != nil {
		return nil, err
	}
	switch mode := flags & unix.O_ACCMODE; {
	case flags&unix.O_PATH != 0:
		return nil, errNoDoor // opens nothing by itself
	case write != nil && mode != unix.O_RDONLY:
		return write, nil
	case read != nil && mode != unix.O_WRONLY:
		return read, nil
	case read != nil && kind == unix.S_IFBLK:
		return read, nil
	}
	return nil, errNoDoor
}

// flags reads how a descriptor was opened: proc_pid_fdinfo(5).
func (f files) flags(fd int) (int, error) {
	b, err := f.read("fdinfo/" + strconv.Itoa(fd))
	if err != nil {
		return 0, err
	}
	text, err := field(b, "flags")
	if err != nil || len(text) != 1 {
		return 0, fmt.Errorf("fdinfo: flags: %v, %w", text, err)
	}
	flags, err := strconv.ParseInt(text[0], 8, 64)
	return int(flags), err
}
