package machine

import (
	"errors"
	"fmt"
	"strconv"

	"golang.org/x/sys/unix"
)

// mountPoint finds where the mount of a file is attached, by its id in
// /proc/self/mountinfo. ENOENT says that it is of another mount namespace.
func mountPoint(path string) ([]byte, error) {
	id, err := mountID(path)
	if err != nil {
		return nil, err
	}
	b, err := readPath("/proc/self/mountinfo")
	if err != nil {
		return nil, err
	}
	ours := parseMounts(b)
	if m, ok := mountByID(ours, id); ok {
		return []byte(m.point), nil
	}
	if _, ok := rootMount(ours); !ok {
		return nil, errors.New(inChroot)
	}
	return nil, unix.ENOENT
}

// inChroot is why it is not known whether a mount is of this mount namespace.
const inChroot = "the root of this process is no mount, and hides others"

func mountID(path string) (string, error) {
	var st unix.Statx_t
	if err := unix.Statx(unix.AT_FDCWD, path, 0, unix.STATX_MNT_ID, &st); err != nil {
		return "", err
	}
	if st.Mask&unix.STATX_MNT_ID == 0 {
		return "", errors.New("statx has no mount id before Linux 5.8")
	}
	return strconv.FormatUint(st.Mnt_id, 10), nil
}

// outside reads the path at which process 1 has the file that open leads to and that
// we have at path: the one for commands of the operator, whose root is that of process
// 1. ENODATA says that there is none, or in a chroot that the mounts do not tell.
func (r Record) outside(open, path string) {
	to, m, err := findOutside(open, path)
	r.add("path outside", func() ([]byte, error) {
		if to == path {
			to = sameOutside
		}
		return []byte(to), err
	})
	r.add("read-only outside", func() ([]byte, error) { return fmt.Appendln(nil, m.readOnly), err })
}

func findOutside(open, path string) (to string, m mount, err error) {
	id, err := mountID(open)
	if err != nil {
		return "", m, err
	}
	mine, err := readPath("/proc/self/mountinfo")
	if err != nil {
		return "", m, err
	}
	theirs, err := readPath("/proc/1/mountinfo")
	if err != nil {
		return "", m, err
	}
	ours, ok := mountByID(parseMounts(mine), id)
	if ok {
		to, m, ok = elsewhere(ours, path, parseMounts(theirs))
	}
	if !ok {
		err = unix.ENODATA
	}
	return to, m, err
}
