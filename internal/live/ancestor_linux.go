package live

import (
	"fmt"
	"math"

	"github.com/lowport/lowport/internal/facts"
	"golang.org/x/sys/unix"
)

// statusNamed reads the status of the process whose id stands in a line of the status that was
// read, such as PPid. ENODATA says that there is none.
func (r reading) statusNamed(line string) ([]byte, error) {
	pid, err := facts.StatusInt(line, math.MaxInt32)(r.Record["proc/thread-self/status"].Data)
	if err != nil {
		return nil, err
	}
	if pid == 0 {
		return nil, unix.ENODATA
	}
	return r.status(pid)
}

// ancestor reads the status of the nearest ancestor, from parent on, whose user is not uid: the
// process that changed the user, or its parent. ENODATA says that there is none here.
func (r reading) ancestor(parent int, uid uint32) ([]byte, error) {
	for pid := parent; pid > 0; {
		b, err := r.status(pid)
		if err != nil {
			return nil, fmt.Errorf("process %d: %s", pid, Reason(err))
		}
		ids, err := facts.ParseIDs(b)
		if err != nil || ids.UID != uid {
			return b, err
		}
		if pid, err = facts.StatusInt("PPid", math.MaxInt32)(b); err != nil {
			return nil, err
		}
	}
	return nil, unix.ENODATA
}
