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
// none, the nearest ancestor that is no launcher. It uses what anybody may read of a
// process. ENODATA says that there is none here, as for what a container's engine started.
func (r reading) findOperator() ([]byte, error) {
	line, shell, err := r.lineage()
	other := slices.IndexFunc(line, func(p facts.Forebear) bool { return !p.Launches })
	switch {
	case err == nil && shell != 0:
		return r.operatorAt(shell, "self")
	case other >= 0:
		return r.operatorAt(line[other].PID, "self")
	case err == nil:
		err = unix.ENODATA
	}
	return nil, err
}

// forebears lists the ancestors up to the shell that asks for commands.
func (r reading) forebears() ([]byte, error) {
	all, _, err := r.lineage()
	if err != nil {
		return nil, err
	}
	return line(all)
}

// lineage lists the ancestors up to the nearest shell that asks for commands, and returns the
// id of that shell, 0 for none. It uses what anybody may read of a process. If an ancestor
// cannot be read, it returns those before it and the error.
func (r reading) lineage() (line []facts.Forebear, shell int, err error) {
	line = []facts.Forebear{}
	pid, err := r.parent()
	if err != nil {
		return line, 0, err
	}
	for pid > 0 {
		status, errStatus := r.status(pid)
		args, errArgs := r.file(fmt.Sprintf("/proc/%d/cmdline", pid))
		ids, errIDs := facts.ParseIDs(status)
		up, errParent := facts.StatusInt("PPid", math.MaxInt32)(status)
		if err := errors.Join(errStatus, errArgs, errIDs, errParent); err != nil {
			return line, 0, cmp.Or(errStatus, err)
		}
		role := facts.RoleOf(splitArgs(args))
		if role == facts.Asks {
			return line, pid, nil
		}
		line = append(line, facts.Forebear{PID: pid, UID: ids.UID, Launches: role == facts.Launches, Shown: showsDescriptors(pid)})
		pid = up
	}
	return line, 0, nil
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
	self, err := r.file("/proc/" + beside + "/status")
	if err != nil {
		return nil, err
	}
	depth := pidDepth(self)
	o.SamePID = depth > 0 && depth == pidDepth(status)

	its, errIts := r.file(fmt.Sprintf("/proc/%d/mountinfo", pid))
	ours, errOurs := firstMount(beside)
	first, errFirst := firstMount("1")
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
