package audit

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/lowport/lowport/internal/facts"
	"github.com/lowport/lowport/internal/live"
	"github.com/lowport/lowport/internal/task"
)

// A view is what decides which files a process sees.
type view struct {
	mounts   string // its mount namespace
	dev, ino uint64 // of its root folder
}

// A house is all the doors that processes of one view see.
type house struct {
	open []Door // that somebody besides root may use
	runs error  // why it is not known what some process of root runs
}

// rooms are what the processes of root run and obey, by their views.
type rooms struct {
	views    map[view]*doorReader
	everyone map[use]*Door // the doors of all views
	files    map[file]bool // those in the trees of all views
	ours     facts.Mounts  // of the reader
	unread   error         // why something of root's is not known
}

// room returns the reader of the doors of a view, below the open root folder of a process.
func (r *rooms) room(f files, root int, v view) *doorReader {
	d := r.views[v]
	if d == nil {
		d = newDoorReader(root)
		d.everyone, d.files, d.ours = r.everyone, r.files, r.ours
		r.views[v] = d
	}
	d.root, d.some = root, f
	return d
}

func newDoorReader(root int) *doorReader {
	return &doorReader{
		root: root, seen: map[use]*Door{}, visited: map[string]bool{}, done: map[string]bool{},
		seats: map[use]seat{}, everyone: map[use]*Door{}, walked: map[file]bool{}, files: map[file]bool{}, some: files{"/proc/thread-self", 0},
	}
}

// doors reads the doors that a process sees, once for each view, and what it has open.
func (r *reader) doors(f files, root int, rootErr error, p *Process) {
	var h facts.Fact[house]
	v, err := f.view(root)
	if err = firstError(rootErr, err); err != nil {
		h = fact(f.source("root"), func() (house, error) { return house{}, err })
	} else if known, ok := r.ways[v]; ok {
		h = known
	} else {
		if r.rooms == nil {
			r.rooms = readRooms()
		}
		h = fact(f.source("root"), func() (house, error) { return r.rooms.house(f, root, v) })
		if r.ways == nil {
			r.ways = map[view]facts.Fact[house]{}
		}
		r.ways[v] = h
	}
	p.Doors = facts.Fact[[]Door]{Value: h.Value.open, State: h.State, Source: h.Source, Reason: h.Reason}
	p.RootRuns = facts.Fact[bool]{State: h.State, Source: h.Source, Reason: h.Reason}
	if err := h.Value.runs; err != nil {
		p.RootRuns.State, p.RootRuns.Reason = facts.Unreadable, err.Error()
	}
	p.Open = fact(f.source("fd"), func() ([]Open, error) {
		if h.State != facts.Known {
			return nil, errReason(h.Reason)
		}
		return f.opened(special{r.rooms.everyone, r.rooms.files})
	})
}

type errReason string

func (e errReason) Error() string { return string(e) }

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func (f files) view(root int) (v view, err error) {
	var st unix.Stat_t
	if v.mounts, err = os.Readlink(f.path("ns/mnt")); err != nil {
		return v, err
	}
	err = unix.Fstat(root, &st)
	v.dev, v.ino = uint64(st.Dev), st.Ino
	return v, err
}

// house collects the doors of a view: its own, and those of other views that it sees too.
func (r *rooms) house(f files, root int, v view) (house, error) {
	own := r.room(f, root, v)
	if err := own.standard(); err != nil {
		return house{}, err
	}
	seen := newDoorReader(root)
	seen.all, seen.seen, seen.some, seen.ours = slices.Clone(own.all), maps.Clone(own.seen), f, r.ours
	others := r.seats(v)
	if len(others) > 0 {
		table, err := f.mountTable(r.ours)
		if err != nil {
			return house{}, err
		}
		table = table.withRoot(root)
		for _, s := range others {
			if err := seen.adopt(s, table); err != nil {
				return house{}, err
			}
		}
	}
	h := house{runs: r.unread}
	for _, d := range seen.all {
		if d.anybody() {
			h.open = append(h.open, *d)
		}
	}
	return h, nil
}

// seats are those of all views but one, in order.
func (r *rooms) seats(but view) (all []seat) {
	for v, d := range r.views {
		if v != but {
			all = slices.AppendSeq(all, maps.Values(d.seats))
		}
	}
	slices.SortFunc(all, func(a, b seat) int {
		return cmp.Or(cmp.Compare(a.door.Path, b.door.Path), cmp.Compare(a.file.dev, b.file.dev), cmp.Compare(a.file.ino, b.file.ino), cmp.Compare(a.file.need, b.file.need))
	})
	return all
}

// readRooms reads what every process of root runs, and what amounts to root where the
// first process looks for it: a process that sees other files at these paths may see those
// elsewhere.
func readRooms() *rooms {
	r := &rooms{views: map[view]*doorReader{}, everyone: map[use]*Door{}, files: map[file]bool{}}
	if r.unread = hidden(); r.unread != nil {
		return r
	}
	b, err := files{"/proc/thread-self", 0}.read("mountinfo")
	if err != nil {
		r.unread = err
		return r
	}
	r.ours = facts.ParseMounts(b)
	r.unread = r.processes()
	return r
}

// processes reads those of root. The error is of the first that could not be read.
func (r *rooms) processes() (unread error) {
	proc, err := task.Open("/proc")
	if err != nil {
		return err
	}
	defer proc.Close()
	pids, err := proc.IDs(nil)
	if err != nil {
		return err
	}
	for _, pid := range pids {
		status, err := proc.Read(pid, "status")
		if gone(err) {
			continue
		}
		if err != nil {
			return err
		}
		uids, err := parseIDs(status, "Uid")
		if err != nil {
			return fmt.Errorf("/proc/%d/status: %w", pid, err)
		}
		if !uids.has(0) && pid != 1 || isKernel(status) || ended(status) {
			continue
		}
		err = r.process(proc, pid, uids.has(0))
		if gone(err) {
			continue
		}
		if err != nil && unread == nil {
			unread = fmt.Errorf("of process %d: %s", pid, live.Reason(err))
		}
	}
	return unread
}

// process reads one of root, or the first one.
func (r *rooms) process(proc *task.Dir, pid int, root bool) error {
	f := files{fmt.Sprintf("/proc/%d", pid), pid}
	fd, err := unix.Open(f.path("root"), unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	v, err := f.view(fd)
	if err != nil {
		return err
	}
	d := r.room(f, fd, v)
	if pid == 1 {
		if err := d.standard(); err != nil {
			return err
		}
	}
	if !root {
		return nil
	}
	maps, err := proc.Read(pid, "maps")
	if err != nil {
		return err
	}
	for _, m := range mapped(maps) {
		if err := d.mapped(f, m); err != nil {
			return err
		}
	}
	args, err := proc.Read(pid, "cmdline")
	if err != nil {
		return err
	}
	words := strings.Split(strings.TrimSuffix(string(args), "\x00"), "\x00")
	if err := d.script(f, words); err != nil {
		return err
	}
	environ, err := proc.Read(pid, "environ")
	if err != nil {
		return err
	}
	return d.environ(strings.Split(string(environ), "\x00"))
}

// runs adds what a process of root runs, and the folders above it.
func (r *doorReader) runs(name string, pid int) error { return r.obeys(name, runsAllows(pid)) }

func runsAllows(pid int) string { return fmt.Sprintf("change what root runs: process %d has it", pid) }

// mapped adds a file that a process of root has mapped. Where another file is at its path
// by now, for something was mounted over it, both count.
func (r *doorReader) mapped(f files, m mapping) error {
	if err := r.runs(m.name, f.pid); err != nil {
		return err
	}
	key := m.name + "\x00" + m.inode
	if r.done[key] {
		return nil
	}
	r.done[key] = true
	if r.is(m) {
		return nil
	}
	fd, err := unix.Open(f.path("map_files/"+m.span), unix.O_PATH|unix.O_CLOEXEC, 0)
	if gone(err) {
		return f.unmapped(m)
	}
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	return r.addOpen(fd, Door{Path: m.name, Need: 2, Root: true, Allows: runsAllows(f.pid)})
}

// unmapped is an error if a process has the mapping still.
func (f files) unmapped(m mapping) error {
	maps, err := f.read("maps")
	if err == nil && slices.Contains(mapped(maps), m) {
		return fmt.Errorf("map_files/%s is not there", m.span)
	}
	return err
}

// is reports whether the file at a mapping's path has its inode number.
func (r *doorReader) is(m mapping) bool {
	fd, err := open(r.root, m.name)
	if err != nil {
		return false
	}
	defer unix.Close(fd)
	var st unix.Stat_t
	return unix.Fstat(fd, &st) == nil && strconv.FormatUint(st.Ino, 10) == m.inode
}

// A mapping is a line of proc_pid_maps(5).
type mapping struct{ span, inode, name string }

// span writes an address range as the names in map_files are, which have no zeros before
// them (proc_map_files_readdir).
func span(field []byte) string {
	from, to, _ := bytes.Cut(field, []byte{'-'})
	short := func(hex []byte) string { return cmp.Or(strings.TrimLeft(string(hex), "0"), "0") }
	return short(from) + "-" + short(to)
}

// mapped returns the files that are mapped to be executed, each once.
func mapped(maps []byte) (all []mapping) {
	seen := map[string]bool{}
	for line := range bytes.Lines(maps) {
		fields := bytes.SplitN(bytes.TrimSuffix(line, []byte{'\n'}), []byte{' '}, 6)
		if len(fields) < 6 || !bytes.ContainsRune(fields[1], 'x') {
			continue
		}
		name := string(bytes.TrimLeft(fields[5], " "))
		if path.IsAbs(name) && !strings.HasSuffix(name, " (deleted)") && !seen[name] {
			seen[name] = true
			all = append(all, mapping{span(fields[0]), string(fields[4]), name})
		}
	}
	return all
}

// read returns a file below the root folder, at most a mebibyte of it; nothing where it
// is not there or no regular file.
func (r *doorReader) read(name string) ([]byte, error) {
	fd, err := openWith(r.root, name, unix.O_RDONLY|unix.O_NONBLOCK)
	if gone(err) || err == unix.ENOTDIR {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	file := os.NewFile(uintptr(fd), name)
	defer file.Close()
	info, err := file.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return nil, err
	}
	b := make([]byte, min(info.Size(), 1<<20))
	n, err := file.ReadAt(b, 0)
	if n == len(b) {
		err = nil
	}
	return b[:n], err
}
