package live

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/internal/facts"
	"github.com/lowport/lowport/internal/task"
	"golang.org/x/sys/unix"
)

// findOperator reads the nearest ancestor that is a shell which asks for commands; if there is
// none, the nearest ancestor that is no launcher. It compares that with the process beside, by its
// name in /proc, and uses what anybody may read of a process. ENODATA says that there is none here, as for what a container's engine started.
func (r reading) findOperator(up lineage, beside string) ([]byte, error) {
	other := slices.IndexFunc(up.line, func(p facts.Forebear) bool { return !p.Launches })
	switch {
	case up.err == nil && up.shell != 0:
		return r.operatorAt(up.shell, beside)
	case other >= 0:
		return r.operatorAt(up.line[other].PID, beside)
	}
	if up.err == nil && r.coversProc() {
		return nil, errors.New("a new /proc hides who started this process")
	}
	return nil, cmp.Or[error](up.err, unix.ENODATA)
}

// coversProc reports whether the /proc of this process lies on top of another one, as
// unshare(1) mounts it for a new pid namespace. A container has one /proc alone.
func (r reading) coversProc() bool {
	all, err := r.ownMounts()
	at := slices.DeleteFunc(slices.Clone(all), func(m facts.Mount) bool { return m.Point != "/proc" })
	return err == nil && len(at) > 1
}

// sandbox reports whether process 1 belongs to what started this program: it is this process, or a
// launcher or a shell, and not in the pid namespace that the system booted with.
func (r reading) sandbox() ([]byte, error) {
	initial, err := facts.HasInitialPID(r.Record)
	pid, errPID := self()
	args, errArgs := r.file("/proc/1/cmdline")
	if err := cmp.Or(err, errPID, errArgs); err != nil {
		return nil, err
	}
	ours := pid == 1 || facts.RoleOf(splitArgs(args)) != facts.Another
	return fmt.Appendln(nil, !initial && ours), nil
}

// A lineage is the ancestors of this process.
type lineage struct {
	line  []facts.Forebear // up to the nearest shell that asks for commands, or to one that cannot be read
	shell int              // the id of that shell, 0 for none
	err   error            // why an ancestor cannot be read
}

// lineage lists the ancestors, by what anybody may read of a process. An ancestor in fewer pid
// namespaces than depth is left out, as the process does not see it either.
func (r reading) lineage(depth int) (up lineage) {
	up.line = []facts.Forebear{}
	var pid int
	if pid, up.err = r.parent(); up.err != nil {
		return up
	}
	for pid > 0 {
		status, errStatus := r.status(pid)
		args, errArgs := r.file(fmt.Sprintf("/proc/%d/cmdline", pid))
		ids, errIDs := facts.ParseIDs(status)
		parent, errParent := facts.StatusInt("PPid", math.MaxInt32)(status)
		if err := errors.Join(errStatus, errArgs, errIDs, errParent); err != nil {
			up.err = cmp.Or(errStatus, err)
			return up
		}
		if pidDepth(status) < depth {
			return up
		}
		role := facts.RoleOf(splitArgs(args))
		if role == facts.Asks {
			up.shell = pid
			return up
		}
		up.line = append(up.line, facts.Forebear{PID: pid, UID: ids.UID, Launches: role == facts.Launches,
			Leads: parent == 1 && leadsSession(pid), Shown: showsDescriptors(pid)})
		pid = parent
	}
	return up
}

// leadsSession reports whether a process is known to lead a session (proc_pid_stat(5)).
func leadsSession(pid int) bool {
	stat, err := readPath(fmt.Sprintf("/proc/%d/stat", pid))
	words := facts.StatWords(stat) // state, ppid, pgrp, session
	return err == nil && len(words) > 3 && words[3] == strconv.Itoa(pid)
}

// showsDescriptors reports whether this process may read the descriptors of another
// (proc_fd_link: ptrace_may_access).
func showsDescriptors(pid int) bool {
	dir, err := task.Open("/proc/" + strconv.Itoa(pid) + "/fd")
	if err != nil {
		return false
	}
	defer dir.Close()
	fds, err := dir.First(nil, 1)
	if err != nil || len(fds) == 0 {
		return err == nil
	}
	_, err = dir.Link(fds[0])
	return err == nil
}

func splitArgs(cmdline []byte) []string {
	if len(cmdline) == 0 {
		return nil
	}
	return strings.Split(strings.TrimSuffix(string(cmdline), "\x00"), "\x00")
}

// operatorAt compares the namespaces and the root of a process with those of the process
// beside, by its name in /proc. To read the links of its namespaces takes privilege. But
// network namespaces differ in the inodes of their files, mounts in their ids, and NSpid has
// a number for each pid namespace that a process is in.
func (r reading) operatorAt(pid int, beside string) ([]byte, error) {
	status, err := r.status(pid)
	if err != nil {
		return nil, err
	}
	ids, err := facts.ParseIDs(status)
	if err != nil {
		return nil, err
	}
	state, err := caps.ParseStatus(status)
	if err != nil {
		return nil, err
	}
	o := facts.Operator{State: state, PID: pid, UID: ids.UID}
	if o.OtherUsers, err = r.otherUsers(pid, beside); err != nil {
		return nil, err
	}
	if o.SameNet, err = sameNetwork(beside, strconv.Itoa(pid)); err != nil {
		return nil, err
	}
	depth := pidDepth(r.Record["proc/thread-self/status"].Data)
	o.SamePID = depth > 0 && depth == pidDepth(status)

	its, errIts := r.file(fmt.Sprintf("/proc/%d/mountinfo", pid))
	ours, errOurs := firstMount(beside)
	first, errFirst := its, errIts
	if pid != 1 {
		first, errFirst = firstMount("1")
	}
	o.SameRoot = errIts == nil && errOurs == nil && sameView(its, ours)
	o.OtherRoot = errIts != nil || errFirst == nil && !sameView(its, first)
	o.NoSysctl = errIts != nil || hidesSysctl(its)
	return line(o)
}

// otherUsers reports whether a process is in another user namespace than the process beside.
// A uid_map shows the outer ids as the reader's namespace has them; to a reader in the same
// namespace it shows those of the parent namespace (uid_m_show).
func (r reading) otherUsers(pid int, beside string) (bool, error) {
	ours, errOurs := r.file("/proc/" + beside + "/uid_map")
	its, errIts := r.file(fmt.Sprintf("/proc/%d/uid_map", pid))
	return !bytes.Equal(ours, its), errors.Join(errOurs, errIts)
}

// hidesSysctl reports whether there is no /proc/sys/net to write to among these mounts: no proc
// is at /proc, or it has subset=pid, or it is read-only there (proc(5)). The last mount at a
// place is the one on top.
func hidesSysctl(mountinfo []byte) bool {
	hides := true
	for l := range bytes.Lines(mountinfo) {
		words := strings.Fields(string(l))
		if len(words) < 6 || !slices.Contains([]string{"/proc", "/proc/sys", "/proc/sys/net"}, words[4]) {
			continue
		}
		options := strings.Split(words[5]+","+words[len(words)-1], ",") // of the mount, and of the file system
		hides = !slices.Contains(words[6:], "proc") || slices.Contains(options, "subset=pid") || slices.Contains(options, "ro")
	}
	return hides
}

// pidDepth counts the pid namespaces from that of this /proc down to the process's own (NSpid,
// proc_pid_status(5)); 0 if the kernel does not say.
func pidDepth(status []byte) int {
	for l := range bytes.Lines(status) {
		if numbers, ok := bytes.CutPrefix(l, []byte("NSpid:")); ok {
			return len(bytes.Fields(numbers))
		}
	}
	return 0
}
