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

// mountPoint finds where the mount of a file is attached, by its id in
// /proc/self/mountinfo. ENOENT says that it is of another mount namespace.
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

func attached(all facts.Mounts, id string) ([]byte, error) {
	if m, ok := all.ByID(id); ok {
		return []byte(m.Point), nil
	}
	if _, ok := all.At("/"); !ok {
		return nil, errors.New(inChroot)
	}
	return nil, unix.ENOENT
}

// inChroot is why it is not known whether a mount is of this mount namespace.
const inChroot = "the root of this process is no mount, and hides others"

// mountID is that of the mount a file lies on, and whether the file is its root.
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

// firstMount reads the beginning of the mounts of a process, as far as the kernel lists
// them at once: there may be very many.
func firstMount(pid string) ([]byte, error) {
	path := "/proc/" + pid + "/mountinfo"
	fd, err := task.IgnoreEINTR(func() (int, error) { return unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0) })
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: path, Err: err}
	}
	defer unix.Close(fd)
	room := make([]byte, 2*unix.PathMax) // two paths and some words
	n, err := task.IgnoreEINTR(func() (int, error) { return unix.Read(fd, room) })
	return room[:max(n, 0)], err
}

// sameView reports whether two processes have one mount namespace and one root, by the
// first line of their mounts. A mount is of one mount namespace alone, and is listed as
// seen from the root of the process (show_mountinfo).
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

// ownMounts are those of this process. That they cannot be read is no ENOENT, which says
// that none of them has a file.
func (r reading) ownMounts() (facts.Mounts, error) {
	all, err := r.readMounts("self")
	if errors.Is(err, unix.ENOENT) {
		err = errors.New("mountinfo is not there")
	}
	return all, err
}

// mounts reads where the mount of the file is that open leads to and that we have at
// path, and at which path the operator has it, for whom the commands are. ENODATA says
// that there is none, or in a chroot that the mounts do not tell.
func (r reading) mounts(open, path string) {
	operator, sameRoot := r.operator()
	var ours, theirs facts.Mounts
	var failed, hidden error
	id, _, err := mountID(open)
	if failed = err; err == nil {
		theirs, hidden = r.readMounts(operator)
		if ours = theirs; !shared(theirs, id) {
			ours, failed = r.ownMounts()
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

// operator is the process whose mounts are the operator's, and whether its root is ours:
// process 1 for what systemd started and where no other is known.
func (r reading) operator() (pid string, sameRoot bool) {
	if o, err := facts.ParseJSON[facts.Operator](r.Record["operator"].Data); err == nil && os.Getenv("INVOCATION_ID") == "" {
		return strconv.Itoa(o.PID), o.SameRoot
	}
	return "1", false
}

// shared says whether the mounts of the operator are ours too, so that the kernel need not
// list them again, which takes it long where there are many: the mount with the id is
// among them, and our root is theirs.
func shared(theirs facts.Mounts, id string) bool {
	_, ok := theirs.ByID(id)
	root, known := theirs.At("/")
	ours, whole, err := mountID("/")
	return ok && known && err == nil && whole && ours == root.ID
}
