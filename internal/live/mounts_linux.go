package live

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"os"
	"strconv"

	"github.com/lowport/lowport/internal/facts"
	"github.com/lowport/lowport/internal/task"
	"golang.org/x/sys/unix"
)

// mountPoint finds where the mount of a file is attached, by its id in /proc/self/mountinfo.
// ENOENT says that the mount belongs to another mount namespace.
func (r reading) mountPoint(path string) ([]byte, error) {
	id, _, err := mountID(path)
	if err != nil {
		return nil, err
	}
	ours, err := r.ownMounts()
	if err != nil {
		return nil, err
	}
	return attached(ours, id)
}

// attached returns the mount point of the mount with the id, with the errors of mountPoint.
func attached(all facts.Mounts, id string) ([]byte, error) {
	if m, ok := all.ByID(id); ok {
		return []byte(m.Point), nil
	}
	if _, ok := all.At("/"); !ok {
		return nil, errors.New(inChroot)
	}
	return nil, unix.ENOENT
}

// inChroot says why it is not known whether a mount belongs to this mount namespace.
const inChroot = "the root of this process is no mount, and hides others"

// mountID returns the id of the mount that a file lies on, and whether the file is its root.
func mountID(path string) (id string, root bool, err error) {
	var st unix.Statx_t
	if err := unix.Statx(unix.AT_FDCWD, path, 0, unix.STATX_MNT_ID, &st); err != nil {
		return "", false, fmt.Errorf("statx: %v", err) // as in ownMounts
	}
	if st.Mask&unix.STATX_MNT_ID == 0 {
		return "", false, errors.New("statx has no mount id before Linux 5.8")
	}
	return strconv.FormatUint(st.Mnt_id, 10), st.Attributes&unix.STATX_ATTR_MOUNT_ROOT != 0, nil
}

// firstMount reads the first mounts of a process, at least one whole line: there may be very
// many, and the kernel writes only as many as there is room for.
func firstMount(pid string) ([]byte, error) {
	path := "/proc/" + pid + "/mountinfo"
	fd, err := task.IgnoreEINTR(func() (int, error) { return unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0) })
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: path, Err: err}
	}
	defer unix.Close(fd)
	var room [2 * unix.PathMax]byte // of a line: two paths and some words
	all := 0
	for !bytes.Contains(room[:all], []byte{'\n'}) {
		n, err := task.IgnoreEINTR(func() (int, error) { return unix.Read(fd, room[all:min(all+256, len(room))]) })
		if err != nil || n == 0 {
			return room[:all], err
		}
		all += n
	}
	return room[:all], nil
}

// sameView reports whether two processes share their mount namespace and their root, by the
// first line of their mounts. A mount belongs to one mount namespace alone, and is listed as
// the root of the process sees it (show_mountinfo).
func sameView(a, b []byte) bool {
	one, _, ok := bytes.Cut(a, []byte{'\n'})
	other, _, okOther := bytes.Cut(b, []byte{'\n'})
	return ok && okOther && bytes.Equal(one, other)
}

func (r reading) readMounts(pid string) (facts.Mounts, error) {
	b, err := r.file("/proc/" + pid + "/mountinfo")
	if err != nil {
		return nil, err
	}
	return facts.ParseMounts(b), nil
}

// ownMounts returns the mounts of this process. It replaces ENOENT by another error, since
// ENOENT is mountPoint's answer for a mount that is not among them.
func (r reading) ownMounts() (facts.Mounts, error) {
	all, err := r.readMounts("self")
	if errors.Is(err, unix.ENOENT) {
		err = errors.New("mountinfo is not there")
	}
	return all, err
}

// A view is a file as a process sees it.
type view struct {
	open   string                       // leads to the file
	path   string                       // where the process has it
	root   string                       // leads to its root
	mounts func() (facts.Mounts, error) // reads its mounts
	byUnit bool                         // systemd started it
}

// ownView is how this process sees a file.
func (r reading) ownView(open, path string) view {
	return view{open, path, "/", r.ownMounts, os.Getenv("INVOCATION_ID") != ""}
}

// mounts reads where the mount of a file is attached, and at which path the operator, who runs
// the commands, has the file. For the path of the operator ENODATA says that there is none, or
// in a chroot that the mounts do not show it or cannot be read.
func (r reading) mounts(v view) {
	open, path := v.open, v.path
	operator, sameRoot := r.operator(v.byUnit)
	var ours, theirs facts.Mounts
	var failed, hidden error
	id, _, err := mountID(open)
	if failed = err; err == nil {
		theirs, hidden = r.readMounts(operator)
		if ours = theirs; !shared(theirs, id, v.root) {
			ours, failed = v.mounts()
		}
	}
	r.add("mount point", func() ([]byte, error) {
		if failed != nil {
			return nil, failed
		}
		return attached(ours, id)
	})
	here, _ := ours.ByID(id)
	to, there, err := "", facts.Mount{}, cmp.Or(failed, hidden)
	if err == nil {
		err = unix.ENODATA
		if sameRoot {
			to, err = path, nil
		}
		if m, ok := ours.ByID(id); ok {
			if to, there, ok = facts.Elsewhere(m, path, theirs); ok {
				err = nil
			}
		}
	}
	r.add("path outside", func() ([]byte, error) {
		if to == path {
			to = facts.SameOutside
		}
		if err != nil && inFolder(v.root) {
			err = unix.ENODATA
		}
		return []byte(to), err
	})
	r.add("read-only outside", func() ([]byte, error) {
		if there == (facts.Mount{}) {
			err = unix.ENODATA
		}
		return fmt.Appendln(nil, there.ReadOnly), err
	})
	r.add("idmapped outside", func() ([]byte, error) {
		if there == (facts.Mount{}) {
			there = here
		}
		if failed == nil && there == (facts.Mount{}) {
			failed = errors.New("its mount is not listed")
		}
		return fmt.Appendln(nil, there.Idmapped), failed
	})
}

// inFolder reports whether a root is a folder of some mount, as in a chroot, so that the operator
// has other paths.
func inFolder(root string) bool {
	_, whole, err := mountID(root)
	return err == nil && !whole
}

// operator returns the process whose mounts are the operator's, and whether its root is ours.
// It is process 1 for what systemd started, and if no other is known.
func (r reading) operator(byUnit bool) (pid string, sameRoot bool) {
	if o, err := facts.ParseJSON[facts.Operator](r.Record["operator"].Data); err == nil && !byUnit {
		return strconv.Itoa(o.PID), o.SameRoot
	}
	return "1", false
}

// shared reports whether the operator's mounts are those of a process too, of which the root is
// given: the mount with the id is among them, and the root is theirs. Then they need not be read again, which takes long if there
// are many.
func shared(theirs facts.Mounts, id, at string) bool {
	_, ok := theirs.ByID(id)
	root, known := theirs.At("/")
	ours, whole, err := mountID(at)
	return ok && known && err == nil && whole && ours == root.ID
}
