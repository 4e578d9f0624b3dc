package audit

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/internal/facts"
	"github.com/lowport/lowport/internal/live"
	"github.com/lowport/lowport/internal/task"
)

// A reader remembers what is the same for many processes.
type reader struct {
	tables  map[string]facts.Fact[map[uint64]Listen] // by network namespace
	starts  map[string]facts.Fact[int]               // likewise
	ways    map[view]facts.Fact[house]               // by what a process sees
	rooms   *rooms                                   // what root runs
	majors  map[uint32]bool                          // of terminals
	sitters *sitters                                 // who is at one
	waits   int                                      // for processes to end
}

// errKernel is of a thread of the kernel's.
var errKernel = errors.New("a thread of the kernel")

func (r *reader) process(pid int) (Process, error) {
	if pid <= 0 {
		return Process{}, fmt.Errorf("process %d: %w", pid, ErrEnded)
	}
	dir, err := unix.Open("/proc/"+strconv.Itoa(pid), unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil && !gone(err) {
		return Process{}, &os.PathError{Op: "open", Path: "/proc/" + strconv.Itoa(pid), Err: err}
	}
	if err == nil {
		defer unix.Close(dir)
		// Thread-self and not self: it is there even where the first thread has ended.
		f := files{fmt.Sprintf("/proc/thread-self/fd/%d", dir), pid}
		status, err := f.read("status")
		switch {
		case err == nil && ended(status):
			return Process{}, fmt.Errorf("process %d: %w", pid, ErrEnded)
		case err == nil && isKernel(status):
			return Process{}, fmt.Errorf("process %d: %w", pid, errKernel)
		case err == nil:
			return r.steady(f)
		case !gone(err):
			return f.closed(live.Reason(err)), nil
		}
	}
	// It is not there, or hidden as if it were not.
	if err := unix.Kill(pid, 0); err == unix.ESRCH {
		return Process{}, fmt.Errorf("process %d: %w", pid, ErrEnded)
	}
	return files{"", pid}.closed("/proc hides it"), nil
}

// closed is a process of which nothing could be read.
func (f files) closed(why string) Process {
	p := Process{PID: f.pid, AsRoot: asRoot()}
	source := "/proc/" + strconv.Itoa(f.pid)
	p.Threads = facts.Fact[map[int]Thread]{Source: source, Reason: why}
	p.UserNS = facts.Fact[UserNS]{Source: source, Reason: why}
	p.Listens = facts.Fact[[]Listen]{Source: source, Reason: why}
	p.Path = facts.Fact[string]{Source: source, Reason: why}
	p.Exe.Caps = facts.Fact[caps.File]{Source: source, Reason: why}
	p.Exe.Stat = facts.Fact[facts.Stat]{Source: source, Reason: why}
	p.Doors = facts.Fact[[]Door]{Source: source, Reason: why}
	p.RootRuns = facts.Fact[bool]{Source: source, Reason: why}
	p.Open = facts.Fact[[]Open]{Source: source, Reason: why}
	p.Terminals = facts.Fact[[]Terminal]{Source: source, Reason: why}
	p.Typing = readTyping()
	return p
}

// patience is how often a reader waits for processes whose first thread ends: nearly
// always the others do too, and where they go on, it must not be kept for ever.
const patience = 200

// steady reads until the program is the same before and after.
func (r *reader) steady(f files) (Process, error) {
	for range tries {
		before := f.identity()
		p := r.once(f)
		status, err := f.read("status")
		for err == nil && ending(status) && !ended(status) && r.waits < patience {
			r.waits++
			time.Sleep(10 * time.Millisecond)
			status, err = f.read("status")
		}
		if gone(err) || err == nil && ended(status) {
			return Process{}, fmt.Errorf("process %d: %w", f.pid, ErrEnded)
		}
		if f.identity() == before {
			return p, nil
		}
	}
	return f.closed("it executes one program after the other"), nil
}

func (r *reader) once(f files) Process {
	p := Process{PID: f.pid, AsRoot: asRoot()}
	p.Name = fact(f.source("comm"), func() (string, error) {
		b, err := f.read("comm")
		return strings.TrimSuffix(string(b), "\n"), err
	})
	p.Threads = fact(f.source("task"), f.threads)
	p.UserNS = fact(f.source("ns/user"), f.userNS)
	p.UIDMap = fact(f.source("uid_map"), func() (string, error) {
		b, err := f.read("uid_map")
		return uidMap(b), err
	})
	p.GIDMap = fact(f.source("gid_map"), func() (string, error) {
		b, err := f.read("gid_map")
		return uidMap(b), err
	})
	r.sockets(f, &p)
	f.program(&p)
	root, err := unix.Open(f.path("root"), unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err == nil {
		defer unix.Close(root)
	}
	r.doors(f, root, err, &p)
	f.way(root, err, &p)
	p.Terminals = fact(f.source("fd"), func() ([]Terminal, error) { return r.terminals(f) })
	p.Typing = readTyping()
	p.Securebits = facts.Fact[caps.Securebits]{State: facts.Absent, Reason: "not in /proc"}
	if f.pid == os.Getpid() {
		p.Securebits = fact("prctl PR_GET_SECUREBITS", func() (caps.Securebits, error) {
			s, err := caps.Self()
			return s.Securebits, err
		})
	}
	p.Unit = fact(f.source("cgroup"), f.unit)
	if u, ok := p.Unit.Is(); ok && u.Name == "" {
		p.Unit = p.Unit.None()
	}
	p.Direct = f.direct()
	return p
}

// direct looks for the signs that rules.UnitUser goes by: no supervisor lies between
// the service manager and the process, and what only became the process has no
// $USER, which systemd sets with User= (systemd.exec(5)).
func (f files) direct() bool {
	status, err := f.read("status")
	if err != nil {
		return false
	}
	parent, err := field(status, "PPid")
	if err != nil || !slices.Equal(parent, []string{"1"}) {
		return false
	}
	environ, err := f.read("environ")
	return err == nil && bytes.Contains(append([]byte{0}, environ...), []byte("\x00USER="))
}

// asRoot reports whether this process is root of the machine.
func asRoot() bool {
	b, err := task.ReadAll("/proc/thread-self/uid_map", limit)
	return err == nil && os.Geteuid() == 0 && uidMap(b) == facts.WholeMap
}

// unit is the service whose cgroup the process is in, unless it is in a pid
// namespace of its own: a container, which its unit does not start.
func (f files) unit() (facts.Unit, error) {
	b, err := f.read("cgroup")
	if err != nil {
		return facts.Unit{}, err
	}
	theirs, err := os.Readlink(f.path("ns/pid"))
	if err != nil {
		return facts.Unit{}, err
	}
	ours, err := os.Readlink("/proc/thread-self/ns/pid")
	if err != nil {
		return facts.Unit{}, err
	}
	if _, err := os.Stat("/run/systemd/system"); err != nil || theirs != ours {
		return facts.Unit{}, unix.ENODATA
	}
	return facts.ParseUnit(string(b))
}
