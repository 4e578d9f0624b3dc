package audit

import (
	"errors"
	"iter"
	"slices"

	"github.com/lowport/lowport/internal/facts"
)

// ErrEnded is of a process that is not there, or ended while it was read.
var ErrEnded = errors.New("no such process")

// ErrHidden is of a /proc that does not show all processes.
var ErrHidden = errors.New("/proc hides processes of other users")

// Read reads a process. Everything is read by one descriptor of its folder in
// /proc, so that it is of one process even where its id is used again meanwhile;
// and where it executes another program meanwhile it is read anew. What cannot be
// read is a fact that is not known. The errors are [ErrEnded], one that wraps
// [errors.ErrUnsupported] off Linux, and of the reader itself, such as a lack of
// descriptors.
func Read(pid int) (Process, error) { return new(reader).process(pid) }

// ReadAll reads every process that has a program, and leaves out those that end
// meanwhile. An error comes with a zero Process.
func ReadAll() iter.Seq2[Process, error] { return readAll() }

// Concerns reports whether a process belongs on the list of who holds what: a
// thread has a capability or is root, or it listens below the threshold, or one
// of these could not be told.
func (p Process) Concerns() bool {
	if p.Threads.State != facts.Known || p.Listens.State != facts.Known || p.IsRoot() || p.union(permitted)|p.union(inheritable)|p.union(ambient) != 0 {
		return true
	}
	start, ok := p.PortStart.Is()
	return slices.ContainsFunc(p.Listens.Value, func(l Listen) bool { return !ok || int(l.Addr.Port()) < start })
}
