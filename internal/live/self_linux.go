package live

import (
	"math"
	"os"
	"strconv"

	"github.com/lowport/lowport/internal/facts"
)

// self returns the id that /proc has for this process. It differs from getpid(2) if /proc
// belongs to an outer pid namespace, as it may after an unmount.
func self() (int, error) {
	link, err := os.Readlink("/proc/self")
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(link)
}

// parent returns the id of the parent of the process whose status was read, 0 if it is in an
// outer pid namespace.
func (r reading) parent() (int, error) {
	return facts.StatusInt("PPid", math.MaxInt32)(r.Record["proc/thread-self/status"].Data)
}
