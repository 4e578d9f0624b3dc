package caps

import (
	"errors"
	"fmt"
	"math/bits"
	"os"
	"strconv"
	"strings"
	"unsafe"

	"github.com/lowport/lowport/internal/task"
	"golang.org/x/sys/unix"
)

// attrName is the extended attribute that holds file capabilities.
const attrName = "security.capability"

func self() (State, error) {
	s, err := get()
	if err != nil {
		return State{}, err
	}
	for c := Cap(0); c < 64; c++ {
		in, errno := prctl(unix.PR_CAPBSET_READ, uintptr(c), 0)
		if errno == unix.EINVAL && c > 0 {
			break // above cap_last_cap
		}
		if errno != 0 {
			return State{}, fmt.Errorf("prctl PR_CAPBSET_READ: %w", errno)
		}
		s.Bounding |= Set(in&1) << c
	}
	// The kernel keeps ambient within both (cap_ambient_invariant_ok).
	for rest := s.Permitted & s.Inheritable; rest != 0; rest &= rest - 1 {
		c := bits.TrailingZeros64(uint64(rest))
		in, errno := prctl(unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_IS_SET, uintptr(c))
		if errno != 0 {
			return State{}, fmt.Errorf("prctl PR_CAP_AMBIENT: %w", errno)
		}
		s.Ambient |= Set(in&1) << c
	}
	nnp, errno := prctl(unix.PR_GET_NO_NEW_PRIVS, 0, 0)
	if errno != 0 {
		return State{}, fmt.Errorf("prctl PR_GET_NO_NEW_PRIVS: %w", errno)
	}
	s.NoNewPrivs = nnp == 1
	bits, errno := prctl(unix.PR_GET_SECUREBITS, 0, 0)
	if errno != 0 {
		return State{}, fmt.Errorf("prctl PR_GET_SECUREBITS: %w", errno)
	}
	s.Securebits = Securebits(bits)
	return s, nil
}

func effective() (Set, error) {
	s, err := get()
	return s.Effective, err
}

func lastCap() (Cap, error) {
	low, high := Cap(0), Cap(64) // low is known, high is not
	for high-low > 1 {
		mid := (low + high) / 2
		switch _, errno := prctl(unix.PR_CAPBSET_READ, uintptr(mid), 0); errno {
		case 0:
			low = mid
		case unix.EINVAL:
			high = mid
		default:
			return 0, fmt.Errorf("prctl PR_CAPBSET_READ: %w", errno)
		}
	}
	if _, errno := prctl(unix.PR_CAPBSET_READ, 0, 0); errno != 0 {
		return 0, fmt.Errorf("prctl PR_CAPBSET_READ: %w", errno)
	}
	return low, nil
}

func prctl(option int, arg2, arg3 uintptr) (uintptr, unix.Errno) {
	r, _, errno := unix.RawSyscall6(unix.SYS_PRCTL, uintptr(option), arg2, arg3, 0, 0, 0)
	return r, errno
}

// get reads inheritable, permitted and effective of the calling thread.
func get() (State, error) {
	hdr := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	_, _, errno := unix.RawSyscall(unix.SYS_CAPGET, uintptr(unsafe.Pointer(&hdr)), uintptr(unsafe.Pointer(&data[0])), 0)
	if errno != 0 {
		return State{}, fmt.Errorf("capget: %w", errno)
	}
	return State{
		Inheritable: Set(data[1].Inheritable)<<32 | Set(data[0].Inheritable),
		Permitted:   Set(data[1].Permitted)<<32 | Set(data[0].Permitted),
		Effective:   Set(data[1].Effective)<<32 | Set(data[0].Effective),
	}, nil
}

func process(pid int) (State, error) {
	var buf [4096]byte
	path := "/proc/" + strconv.Itoa(pid) + "/status"
	b, err := task.ReadFile(path, buf[:])
	if err != nil {
		return State{}, err
	}
	s, err := ParseStatus(b)
	if err != nil {
		return State{}, fmt.Errorf("%s: %w", path, err)
	}
	return s, nil
}

func threads(pid int) (map[int]State, error) {
	path := "/proc/" + strconv.Itoa(pid) + "/task"
	dir, err := task.Open(path)
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	var tids []int
	list := func() (_ []int, err error) {
		tids, err = dir.IDs(tids[:0])
		return tids, err
	}
	return everyThread(path, list, func(tid int) ([]byte, error) { return dir.Read(tid, "status") })
}

func readFile(path string) (File, error) {
	var buf [64]byte
	n, err := getxattr(path, buf[:])
	return decodeAttr(path, buf[:], n, err)
}

// attrName0 is attrName as C has it.
var attrName0 = []byte(attrName + "\x00")

// getxattr is getxattr(2) of attrName, without allocating for most paths.
func getxattr(path string, buf []byte) (int, error) {
	var c [256]byte
	if copy(c[:], path) == len(c) || strings.IndexByte(path, 0) >= 0 {
		return unix.Getxattr(path, attrName, buf)
	}
	n, _, errno := unix.Syscall6(unix.SYS_GETXATTR, uintptr(unsafe.Pointer(&c)), uintptr(unsafe.Pointer(&attrName0[0])),
		uintptr(unsafe.Pointer(&buf[0])), uintptr(len(buf)), 0, 0)
	if errno != 0 {
		return 0, errno
	}
	return int(n), nil
}

// decodeAttr turns the answer of a getxattr(2) into file capabilities.
func decodeAttr(path string, buf []byte, n int, err error) (File, error) {
	if err != nil {
		if errors.Is(err, unix.ENODATA) {
			err = ErrNoCaps
		}
		return File{}, &os.PathError{Op: "getxattr", Path: path, Err: err}
	}
	f, err := DecodeFile(buf[:n])
	if err != nil {
		return File{}, fmt.Errorf("%s: %w", path, err)
	}
	return f, nil
}
