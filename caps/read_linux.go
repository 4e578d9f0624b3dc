package caps

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"unsafe"

	"golang.org/x/sys/unix"
)

// attrName is the extended attribute that holds file capabilities.
const attrName = "security.capability"

func self() (State, error) {
	s, err := get(0)
	if err != nil {
		return State{}, err
	}
	for c := Cap(0); c < 64; c++ {
		in, err := prctl(unix.PR_CAPBSET_READ, uintptr(c), 0)
		if errors.Is(err, unix.EINVAL) {
			break // above cap_last_cap
		}
		if err != nil {
			return State{}, fmt.Errorf("prctl PR_CAPBSET_READ: %w", err)
		}
		if in == 1 {
			s.Bounding = s.Bounding.With(c)
		}
		in, err = prctl(unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_IS_SET, uintptr(c))
		if err != nil {
			return State{}, fmt.Errorf("prctl PR_CAP_AMBIENT: %w", err)
		}
		if in == 1 {
			s.Ambient = s.Ambient.With(c)
		}
	}
	nnp, err := prctl(unix.PR_GET_NO_NEW_PRIVS, 0, 0)
	if err != nil {
		return State{}, fmt.Errorf("prctl PR_GET_NO_NEW_PRIVS: %w", err)
	}
	s.NoNewPrivs = nnp == 1
	bits, err := prctl(unix.PR_GET_SECUREBITS, 0, 0)
	if err != nil {
		return State{}, fmt.Errorf("prctl PR_GET_SECUREBITS: %w", err)
	}
	s.Securebits = Securebits(bits)
	return s, nil
}

func prctl(option int, arg2, arg3 uintptr) (uintptr, error) {
	r, _, errno := unix.RawSyscall6(unix.SYS_PRCTL, uintptr(option), arg2, arg3, 0, 0, 0)
	if errno != 0 {
		return 0, errno
	}
	return r, nil
}

// get reads inheritable, permitted and effective of one thread; 0 is the
// calling one.
func get(tid int) (State, error) {
	hdr := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3, Pid: int32(tid)}
	var data [2]unix.CapUserData
	_, _, errno := unix.RawSyscall(unix.SYS_CAPGET, uintptr(unsafe.Pointer(&hdr)), uintptr(unsafe.Pointer(&data[0])), 0)
	if errno != 0 {
		return State{}, fmt.Errorf("capget: %w", errno)
	}
	join := func(lo, hi uint32) Set { return Set(hi)<<32 | Set(lo) }
	return State{
		Inheritable: join(data[0].Inheritable, data[1].Inheritable),
		Permitted:   join(data[0].Permitted, data[1].Permitted),
		Effective:   join(data[0].Effective, data[1].Effective),
	}, nil
}

func threads(pid int) (map[int]State, error) {
	dir := "/proc/" + strconv.Itoa(pid) + "/task"
	// Threads come and go: read until a pass finds no thread it had not
	// read before, so that none that outlives the call is missed.
	all := map[int]State{}
	for {
		entries, err := os.ReadDir(dir)
		if err != nil {
			return nil, err
		}
		fresh := false
		for _, e := range entries {
			tid, err := strconv.Atoi(e.Name())
			if err != nil {
				return nil, fmt.Errorf("%s: %q is not a thread id", dir, e.Name())
			}
			if _, ok := all[tid]; ok {
				continue
			}
			b, err := os.ReadFile(dir + "/" + e.Name() + "/status")
			if errors.Is(err, os.ErrNotExist) || errors.Is(err, unix.ESRCH) {
				continue // ended since
			}
			if err != nil {
				return nil, err
			}
			if bytes.Contains(b, []byte("\nState:\tZ")) || bytes.Contains(b, []byte("\nState:\tX")) {
				continue // ended, not yet reaped
			}
			s, err := ParseStatus(b)
			if err != nil {
				return nil, fmt.Errorf("%s/%d: %w", dir, tid, err)
			}
			all[tid], fresh = s, true
		}
		if !fresh {
			break
		}
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("%s: no threads", dir)
	}
	return all, nil
}

func readFile(path string) (File, error) {
	var buf [64]byte
	n, err := unix.Getxattr(path, attrName, buf[:])
	if err == unix.ENODATA {
		err = ErrNoCaps
	}
	if err != nil {
		return File{}, &os.PathError{Op: "getxattr", Path: path, Err: err}
	}
	f, err := DecodeFile(buf[:n])
	if err != nil {
		return File{}, fmt.Errorf("%s: %w", path, err)
	}
	return f, nil
}
