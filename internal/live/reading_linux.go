package live

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/lowport/lowport/internal/facts"
	"github.com/lowport/lowport/internal/task"
	"golang.org/x/sys/unix"
)

// A reading is a record that is being made. Its method file reads no file twice, and its
// method add reads nothing that is known.
type reading struct {
	facts.Record
	files map[string]file
	known facts.Record // what somebody else has read already
	room  []byte       // to read into
}

// A file is what reading it gave.
type file struct {
	data []byte
	err  error
}

func newReading() reading {
	return reading{Record: facts.Record{}, files: map[string]file{}, room: make([]byte, 4096)}
}

// add reads one item, and records its data or its error.
func (r reading) add(name string, read func() ([]byte, error)) {
	if item, ok := r.known[name]; ok {
		r.Record[name] = item
		return
	}
	data, err := read()
	if err != nil {
		r.Record[name] = facts.Item{Err: Reason(err)}
		return
	}
	r.Record[name] = facts.Item{Data: data}
}

// file returns what [readPath] returns, from the first time that the path is asked for. Some
// files of /proc are single records, of which one read(2) returns all.
func (r reading) file(path string) ([]byte, error) {
	f, ok := r.files[path]
	if !ok {
		if singleRecord(path) {
			f.data, f.err = task.ReadFile(path, r.room)
			f.data = bytes.Clone(f.data)
		} else {
			f.data, f.err = readPath(path)
		}
		r.files[path] = f
	}
	return f.data, f.err
}

// singleRecord reports whether the kernel makes a file of /proc as one record (single_open), or
// copies it from memory as cmdline of a process.
func singleRecord(path string) bool {
	if strings.HasPrefix(path, "/proc/sys/") {
		return true
	}
	_, name := filepath.Split(path)
	return slices.Contains([]string{"status", "stat", "cgroup", "cmdline"}, name)
}

// status returns the status of a process.
func (r reading) status(pid int) ([]byte, error) { return r.file(fmt.Sprintf("/proc/%d/status", pid)) }

// limit bounds what is read of one file, in bytes: the mountinfo of 10,000
// mounts has about 2 MB.
const limit = 16 << 20

// readPath reads a file of /proc or /sys. For a directory it returns no data: only that it
// exists counts.
func readPath(path string) ([]byte, error) {
	b, err := task.ReadAll(path, limit)
	if errors.Is(err, unix.EISDIR) {
		return nil, nil
	}
	return b, err
}

func readLink(path string) ([]byte, error) {
	s, err := os.Readlink(path)
	return []byte(s), err
}
