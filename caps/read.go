package caps

import "errors"

// ErrNoCaps is in the error of [ReadFile] for a file that has no capabilities
// attribute (ENODATA).
var ErrNoCaps = errors.New("no file capabilities")

// Self returns what the calling thread holds. Goroutines move between threads
// and threads can differ: call [runtime.LockOSThread] first where that matters.
// It asks the kernel by capget(2) and prctl(2) and needs no /proc.
func Self() (State, error) { return self() }

// Threads returns what every thread of a process holds, by thread id, from
// /proc/PID/task/TID/status. A thread that ends meanwhile is left out; any
// other failure is an error, since the missing thread may be the one that
// differs.
func Threads(pid int) (map[int]State, error) { return threads(pid) }

// ReadFile returns the capabilities of the file at path, following symbolic
// links as execve(2) does. For a file that has none errors.Is(err, [ErrNoCaps]) holds;
// where the filesystem cannot hold them it wraps syscall.EOPNOTSUPP.
func ReadFile(path string) (File, error) { return readFile(path) }
