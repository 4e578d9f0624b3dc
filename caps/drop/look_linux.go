package drop

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"syscall"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/internal/task"
)

// A thread is what /proc tells about one thread of this process.
type thread struct {
	tid int
	caps.State
	uids, gids [4]uint32 // real, effective, saved, filesystem
	groups     []uint32  // ascending
	seccomp    string    // mode and number of filters
	blocked    uint64    // signal n is bit n-1
	ended      bool      // a zombie
	uring      bool      // a thread of the kernel, which works for an io_uring(7)
}

const taskDir = "/proc/self/task"

// look reads every thread of this process. Threads come and go: it lists until
// a pass finds none that it had not read before, so that no thread that
// outlives the call is missed.
//
// libpsx lists /proc/PID/task and kills the process where it cannot. So a
// /proc that is missing or of another PID namespace is an error here first.
func look() ([]thread, error) {
	self, err := os.Readlink("/proc/self")
	if err != nil {
		return nil, fmt.Errorf("looking at every thread: %w", err)
	}
	if pid := strconv.Itoa(os.Getpid()); self != pid {
		return nil, fmt.Errorf("looking at every thread: /proc is of another PID namespace: it calls this process %s, not %s", self, pid)
	}
	dir, err := task.Open(taskDir)
	if err != nil {
		return nil, fmt.Errorf("looking at every thread: %w", err)
	}
	defer dir.Close()
	var all []thread
	var tids []int
	seen := map[int]bool{}
	for fresh := true; fresh; {
		if tids, err = dir.IDs(tids[:0]); err != nil {
			return nil, fmt.Errorf("looking at every thread: %w", err)
		}
		fresh = false
		for _, tid := range tids {
			if seen[tid] {
				continue
			}
			t, err := readThread(dir, tid)
			if errors.Is(err, os.ErrNotExist) || errors.Is(err, syscall.ESRCH) {
				continue // ended since
			}
			if err != nil {
				return nil, fmt.Errorf("looking at thread %d: %w", tid, err)
			}
			seen[tid], fresh = true, true
			all = append(all, t)
		}
	}
	slices.SortFunc(all, func(a, b thread) int { return a.tid - b.tid })
	// An ended thread holds nothing, and only the first one is kept by the
	// kernel until the process ends: proc_pid_status(5), wait(2).
	return slices.DeleteFunc(all, func(t thread) bool { return t.ended && t.tid != os.Getpid() }), nil
}

func readThread(dir *task.Dir, tid int) (thread, error) {
	status, err := dir.Read(tid, "status")
	if err != nil {
		return thread{}, err
	}
	t, err := parseThread(status)
	t.tid = tid
	return t, err
}

// parseThread reads the lines of proc_pid_status(5) that a drop is about.
func parseThread(status []byte) (thread, error) {
	state, err := caps.ParseStatus(status)
	if err != nil {
		return thread{}, err
	}
	t := thread{State: state}
	seen := 0
	for line := range bytes.Lines(status) {
		name, value, _ := bytes.Cut(line, []byte{':'})
		switch string(name) {
		case "Name": // create_io_thread, io_wq_worker
			value = bytes.TrimSpace(value)
			t.uring = bytes.HasPrefix(value, []byte("iou-sqp-")) || bytes.HasPrefix(value, []byte("iou-wrk-"))
			continue
		case "State":
			value = bytes.TrimSpace(value)
			t.ended = bytes.HasPrefix(value, []byte("Z")) || bytes.HasPrefix(value, []byte("X"))
		case "Uid":
			err = parseIDs(&t.uids, value)
		case "Gid":
			err = parseIDs(&t.gids, value)
		case "Groups":
			t.groups, err = parseNumbers(value)
			slices.Sort(t.groups)
		case "SigBlk":
			t.blocked, err = strconv.ParseUint(string(bytes.TrimSpace(value)), 16, 64)
		case "Seccomp", "Seccomp_filters": // absent from kernels without seccomp
			t.seccomp += string(bytes.TrimSpace(value)) + " "
			continue
		default:
			continue
		}
		if err != nil {
			return thread{}, fmt.Errorf("status: %s: %w", name, err)
		}
		seen++
	}
	if seen != 5 {
		return thread{}, errors.New("status: State, Uid, Gid, Groups and SigBlk are not there once each")
	}
	return t, nil
}

func parseIDs(to *[4]uint32, value []byte) error {
	ids, err := parseNumbers(value)
	if err != nil {
		return err
	}
	if len(ids) != len(to) {
		return fmt.Errorf("%q is not four ids", value)
	}
	*to = [4]uint32(ids)
	return nil
}

func parseNumbers(value []byte) ([]uint32, error) {
	var ids []uint32
	for f := range bytes.FieldsSeq(value) {
		id, err := strconv.ParseUint(string(f), 10, 32)
		if err != nil {
			return nil, err
		}
		ids = append(ids, uint32(id))
	}
	return ids, nil
}
