package audit

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/lowport/lowport/internal/facts"
	"github.com/lowport/lowport/internal/live"
	"github.com/lowport/lowport/internal/task"
)

// limit bounds what is read of one file, in bytes.
const limit = 64 << 20

// fact reads one.
func fact[T any](source string, read func() (T, error)) facts.Fact[T] {
	v, err := read()
	f := facts.Fact[T]{Source: source}
	switch {
	case err == nil:
		f.Value, f.State = v, facts.Known
	case errors.Is(err, unix.ENODATA), errors.Is(err, unix.EOPNOTSUPP):
		f.State, f.Reason = facts.Absent, live.Reason(err)
	default:
		f.Reason = live.Reason(err)
	}
	return f
}

func gone(err error) bool { return errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ESRCH) }

// files are those of a process in /proc, below a descriptor of its folder.
type files struct {
	dir string
	pid int
}

func (f files) path(name string) string { return f.dir + "/" + name }

func (f files) source(name string) string { return fmt.Sprintf("/proc/%d/%s", f.pid, name) }

func (f files) read(name string) ([]byte, error) { return task.ReadAll(f.path(name), limit) }

// Open makes of f a /proc with one process, for package caps.
func (f files) Open(name string) (fs.File, error) {
	return os.Open(f.path(strings.TrimPrefix(name, strconv.Itoa(f.pid)+"/")))
}
