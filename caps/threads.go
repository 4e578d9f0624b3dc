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
	// Threads come and go: read until a pass finds no thread it had not
	// read before, so that none that outlives the call is missed.
	all := map[int]State{}
	for fresh := true; fresh; {
		fresh = false
		entries, err := fs.ReadDir(fsys, dir)
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			tid, err := strconv.Atoi(e.Name())
			if err != nil {
				return nil, fmt.Errorf("%s: %q is not a thread id", dir, e.Name())
			}
			if _, ok := all[tid]; ok {
				continue
			}
			b, err := fs.ReadFile(fsys, dir+"/"+e.Name()+"/status")
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
	return bytes.Contains(status, []byte("\nState:\tZ")) || bytes.Contains(status, []byte("\nState:\tX"))
}
