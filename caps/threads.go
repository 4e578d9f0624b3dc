package caps

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"syscall"
)

// ReadThreads does what [Threads] does below fsys, which is /proc or a
// stand-in for it.
func ReadThreads(fsys fs.FS, pid int) (map[int]State, error) {
	dir := strconv.Itoa(pid) + "/task"
	list := func() (tids []int, err error) {
		entries, err := fs.ReadDir(fsys, dir)
		for _, e := range entries {
			tid, err := strconv.Atoi(e.Name())
			if err != nil {
				return nil, fmt.Errorf("%s: %q is not a thread id", dir, e.Name())
			}
			tids = append(tids, tid)
		}
		return tids, err
	}
	return everyThread(dir, list, func(tid int) ([]byte, error) {
		return fs.ReadFile(fsys, dir+"/"+strconv.Itoa(tid)+"/status")
	})
}

// everyThread reads the status of each thread that list returns. Threads come and go:
// it lists until a pass finds none that it had not read before, so that none that
// outlives the call is missed.
func everyThread(dir string, list func() ([]int, error), status func(tid int) ([]byte, error)) (map[int]State, error) {
	all := map[int]State{}
	for fresh := true; fresh; {
		tids, err := list()
		if err != nil {
			return nil, err
		}
		fresh = false
		for _, tid := range tids {
			if _, ok := all[tid]; ok {
				continue
			}
			b, err := status(tid)
			if gone(err) || ended(b) {
				continue
			}
			if err != nil {
				return nil, err
			}
			s, err := ParseStatus(b)
			if err != nil {
				return nil, fmt.Errorf("%s/%d: %w", dir, tid, err)
			}
			all[tid], fresh = s, true
		}
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("%s: no threads", dir)
	}
	return all, nil
}

// gone says that err means the process or thread has ended.
func gone(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ESRCH)
}

// ended says of a status that its thread has ended and is not reaped yet.
func ended(status []byte) bool {
	_, state, _ := bytes.Cut(status, []byte("\nState:\t"))
	return bytes.HasPrefix(state, []byte("Z")) || bytes.HasPrefix(state, []byte("X"))
}
