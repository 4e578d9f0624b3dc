package live

import (
	"math"
	"os"
	"strconv"

	"github.com/lowport/lowport/internal/facts"
)

// self is the number that /proc has for this process. It is another than that of getpid(2)
// where the /proc is of an outer pid namespace, as behind one that was unmounted.
func self() (int, error) {
	link, err := os.Readlink("/proc/self")
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(link)
}

// parent is the number that /proc has for the parent of this process, 0 for none that it shows.
func (r reading) parent() (int, error) {
	return facts.StatusInt("PPid", math.MaxInt32)(r.Record["proc/thread-self/status"].Data)
}
