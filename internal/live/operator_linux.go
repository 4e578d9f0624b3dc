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
	"golang.org/x/sys/unix"
)

// findOperator finds the nearest ancestor that is a shell which asks for commands, or if there
// is none the nearest that is no launcher, by what anybody may read of a process. ENODATA
// says that there is none here, as for what a container's engine started.
func (r reading) findOperator() ([]byte, error) {
	pid, err := r.parent()
	if err != nil {
		return nil, err
	}
	other := 0
	for pid > 0 {
		status, errStatus := r.status(pid)
		args, errArgs := r.file(fmt.Sprintf("/proc/%d/cmdline", pid))
		up, errParent := facts.StatusInt("PPid", math.MaxInt32)(status)
		if err := errors.Join(errStatus, errArgs, errParent); err != nil {
			if other != 0 {
				break
			}
			return nil, cmp.Or(errStatus, err)
		}
		switch role := facts.RoleOf(splitArgs(args)); {
		case role == facts.Asks:
			return r.operatorAt(pid, "self")
		case role == facts.Another && other == 0:
			other = pid
		}
		pid = up
	}
	if other == 0 {
		return nil, unix.ENODATA
	}
	return r.operatorAt(other, "self")
}

func splitArgs(cmdline []byte) []string {
	if len(cmdline) == 0 {
		return nil
	}
	return strings.Split(strings.TrimSuffix(string(cmdline), "\x00"), "\x00")
}

// operatorAt reads where a process is, beside another one by its name in /proc. The links of its namespaces take privilege; but the
// files of its network namespace are told apart by their inodes, mounts by their ids, and
// NSpid has a number for each pid namespace that it is in.
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

	its, err := r.file(fmt.Sprintf("/proc/%d/mountinfo", pid))
	if err != nil {
		return nil, err
	}
	ours, err := firstMount(beside)
	if err != nil {
		return nil, err
	}
	first, err := firstMount("1")
	o.SameRoot = sameView(its, ours)
	o.OtherRoot = err == nil && !sameView(its, first)
	o.NoSysctl = hidesSysctl(its)
	return line(o)
}

// otherUsers reports whether a process is in another user namespace than the one beside it. Its map shows its ids
// as this namespace has them, but to its own members those of the parent (uid_m_show).
func (r reading) otherUsers(pid int, beside string) (bool, error) {
	ours, errOurs := r.file("/proc/" + beside + "/uid_map")
	its, errIts := r.file(fmt.Sprintf("/proc/%d/uid_map", pid))
	return !bytes.Equal(ours, its), errors.Join(errOurs, errIts)
}

// hidesSysctl reports whether the /proc of these mounts has no /proc/sys: the last mount
// there is of a proc with subset=pid.
func hidesSysctl(mountinfo []byte) bool {
	hides := false
	for l := range bytes.Lines(mountinfo) {
		words := strings.Fields(string(l))
		if len(words) > 4 && words[4] == "/proc" {
			hides = slices.Contains(strings.Split(words[len(words)-1], ","), "subset=pid")
		}
	}
	return hides
}

// pidDepth counts the pid namespaces that number a process, from that of this /proc to its
// own (NSpid, proc_pid_status(5)); 0 where the kernel does not say.
func pidDepth(status []byte) int {
	for l := range bytes.Lines(status) {
		if numbers, ok := bytes.CutPrefix(l, []byte("NSpid:")); ok {
			return len(bytes.Fields(numbers))
		}
	}
	return 0
}
