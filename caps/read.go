package caps

import (
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
)

// ErrNoCaps is in the error of [ReadFile] for a file that has no capabilities
// attribute (ENODATA).
var ErrNoCaps = errors.New("no file capabilities")

// Self returns what the calling thread holds. Goroutines move between threads and
// threads can differ: call [runtime.LockOSThread] first where that matters. It
// asks the kernel by capget(2) and prctl(2), allocates nothing and needs no
// /proc. An AppArmor profile hides there what the thread holds and the profile
// does not grant, which could not be used either; [Process] shows it.
func Self() (State, error) { return self() }

// Effective returns the effective set of the calling thread, by one capget(2)
// and without allocating. What [Self] says of threads holds here too.
func Effective() (Set, error) { return effective() }

// LastCap returns the last capability that the running kernel knows, its
// cap_last_cap. It needs no /proc; [ReadLastCap] reads it from there.
func LastCap() (Cap, error) { return lastCap() }

// Process returns what the main thread of a process holds, or the thread with
// that id, from /proc/PID/status. Securebits are not in there and stay zero.
func Process(pid int) (State, error) { return process(pid) }

// Threads returns what every thread of a process holds, by thread id, from
// /proc/PID/task/TID/status. A thread that ends meanwhile is left out; any
// other failure is an error, since the missing thread may be the one that
// differs. Securebits are not in there and stay zero.
func Threads(pid int) (map[int]State, error) { return threads(pid) }

// ReadFile returns the capabilities of the file at path, following symbolic links as
// execve(2) does. For a file that has none errors.Is(err, [ErrNoCaps]) holds. If the
// filesystem cannot hold them the error wraps syscall.EOPNOTSUPP; if they are for another
// user namespace, whose root has no uid here, it wraps syscall.EOVERFLOW (EOPNOTSUPP on
// older kernels).
func ReadFile(path string) (File, error) { return readFile(path) }

// ReadLastCap reads cap_last_cap from fsys, which is /proc or a stand-in.
func ReadLastCap(fsys fs.FS) (Cap, error) {
	const name = "sys/kernel/cap_last_cap"
	b, err := fs.ReadFile(fsys, name)
	if err != nil {
		return 0, err
	}
	n, err := strconv.ParseUint(strings.TrimSuffix(string(b), "\n"), 10, 8)
	if err != nil || n > 63 {
		return 0, fmt.Errorf("%s: %.40q is not a number from 0 to 63", name, b)
	}
	return Cap(n), nil
}
