package audit

import (
	"bytes"
	"fmt"
	"os"
	"path"
	"slices"
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
	open  []Door        // that somebody besides root may use
	files map[use]*Door // all of them
	runs  error         // why it is not known what some process of root runs
}

func newDoorReader(root int) *doorReader {
	return &doorReader{root: root, seen: map[use]*Door{}, visited: map[string]bool{}}
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
		h = fact(f.source("root"), func() (house, error) { return r.house(root, v) })
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
		return f.opened(h.Value.files)
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

func (r *reader) house(root int, v view) (house, error) {
	doors := newDoorReader(root)
	if err := doors.standard(); err != nil {
		return house{}, err
	}
	h := house{files: doors.seen, runs: doors.rootRuns(v)}
	for _, d := range doors.all {
		if d.anybody() {
			h.open = append(h.open, *d)
		}
	}
	return h, nil
}

// rootRuns adds the programs and libraries that processes of root run in that view, and
// the folders above them. The error is of the first that could not be read.
func (r *doorReader) rootRuns(v view) (unread error) {
	proc, err := task.Open("/proc")
	if err != nil {
		return err
	}
	defer proc.Close()
	pids, err := proc.IDs(nil)
	if err != nil {
		return err
	}
	done := map[string]bool{}
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
		if !uids.has(0) || isKernel(status) || ended(status) {
			continue
		}
		err = r.process(proc, pid, v, done)
		if gone(err) {
			continue
		}
		if err != nil && unread == nil {
			unread = fmt.Errorf("of process %d: %s", pid, live.Reason(err))
		}
	}
	return unread
}

func (r *doorReader) process(proc *task.Dir, pid int, v view, done map[string]bool) error {
	f := files{fmt.Sprintf("/proc/%d", pid), pid}
	root, err := unix.Open(f.path("root"), unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(root)
	if its, err := f.view(root); err != nil || its != v {
		return err
	}
	maps, err := proc.Read(pid, "maps")
	if err != nil {
		return err
	}
	names := mapped(maps)
	args, err := proc.Read(pid, "cmdline")
	if err != nil {
		return err
	}
	for _, name := range append(names, script(args)...) {
		if done[name] {
			continue
		}
		done[name] = true
		allows := fmt.Sprintf("change what root runs: process %d has it", pid)
		if err := r.add(Door{Path: name, Need: 2, Root: true, Allows: allows}); err != nil {
			return err
		}
		if err := r.above(name, wayAllows); err != nil {
			return err
		}
	}
	return nil
}

// mapped returns the files that are mapped to be executed: proc_pid_maps(5).
func mapped(maps []byte) (names []string) {
	for line := range bytes.Lines(maps) {
		fields := bytes.SplitN(bytes.TrimSuffix(line, []byte{'\n'}), []byte{' '}, 6)
		if len(fields) < 6 || !bytes.ContainsRune(fields[1], 'x') {
			continue
		}
		name := string(bytes.TrimLeft(fields[5], " "))
		if path.IsAbs(name) && !strings.HasSuffix(name, " (deleted)") && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// scripts are the endings of what interpreters run.
var scripts = []string{".py", ".sh", ".pl", ".rb", ".js", ".mjs", ".php", ".jar", ".lua", ".tcl", ".R"}

// script returns the script that an interpreter was started with: the first argument that
// is no option, if it is a path from the root folder and a shell was asked to run it or it
// has the ending of a script.
func script(cmdline []byte) []string {
	args := strings.Split(string(cmdline), "\x00")
	shell := strings.HasSuffix(path.Base(args[0]), "sh")
	for _, arg := range args[1:] {
		if strings.HasPrefix(arg, "-") {
			continue
		}
		if path.IsAbs(arg) && (shell || slices.Contains(scripts, path.Ext(arg))) {
			return []string{path.Clean(arg)}
		}
		return nil
	}
	return nil
}

// cron adds what root's lines of the system's crontabs name: crontab(5).
func (r *doorReader) cron() error {
	names, err := r.list("/etc/cron.d", maxDev)
	if err != nil {
		return err
	}
	tables := []string{"/etc/crontab"}
	for _, name := range names {
		tables = append(tables, "/etc/cron.d/"+name)
	}
	for _, table := range tables {
		text, err := r.read(table)
		if err != nil {
			return err
		}
		for _, name := range commands(text) {
			if err := r.add(Door{Path: name, Need: 2, Root: true, Allows: "change what cron runs as root"}); err != nil {
				return err
			}
			if err := r.above(name, wayAllows); err != nil {
				return err
			}
		}
	}
	return nil
}

// commands returns the paths in root's lines of a system crontab.
func commands(table []byte) (names []string) {
	for line := range strings.Lines(string(table)) {
		fields := strings.Fields(line)
		user := 5
		if strings.HasPrefix(line, "@") {
			user = 1
		}
		if len(fields) <= user+1 || strings.HasPrefix(line, "#") || fields[user] != "root" {
			continue
		}
		for _, f := range fields[user+1:] {
			if f = strings.Trim(f, `"'();&|`); path.IsAbs(f) {
				names = append(names, path.Clean(f))
			}
		}
	}
	return names
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
