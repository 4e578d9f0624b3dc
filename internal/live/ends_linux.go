package live

import (
	"errors"
	"io/fs"
	"math"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/lowport/lowport/internal/facts"
)

// nameEnds says of the sockets how their holders end. It reads each process and each unit once.
func nameEnds(found []socket) {
	read := map[string]facts.Ends{} // by the cgroup and the holders
	for i := range found {
		s := &found[i]
		if s.Inode == 0 || s.Self {
			continue
		}
		key := s.folder
		for _, pid := range s.holders() {
			key += " " + strconv.Itoa(pid)
		}
		ends, ok := read[key]
		if !ok {
			ends = endsOf(s)
			read[key] = ends
		}
		s.Ends = ends
	}
}

// holders are the processes that are known to hold the socket.
func (s *socket) holders() []int {
	if s.PID == 0 {
		return nil
	}
	return append([]int{s.PID}, s.Also...)
}

// endsOf reads how the holders of a socket end.
func endsOf(s *socket) (e facts.Ends) {
	pids := s.holders()
	for _, pid := range pids {
		if status, err := statusOf(pid); err == nil {
			its := facts.ParseEnds(status)
			e.Stopped, e.Deaf, e.First = e.Stopped || its.Stopped, e.Deaf || its.Deaf, e.First || its.First
		}
	}
	var members []int
	isUsers := strings.Contains(s.Cgroup, "/user@") // whose files are elsewhere
	if name := path.Base(s.Cgroup); facts.UnitName(name) && !isUsers {
		members = membersOf(s.folder)
		e.Unit = unitEnds(name, pids, members)
	}
	e.Supervisor = supervisorOf(pids, members)
	return e
}

func statusOf(pid int) ([]byte, error) { return readPath("/proc/" + strconv.Itoa(pid) + "/status") }

// parentOf returns the parent of a process, 0 if it is not known.
func parentOf(pid int) int {
	status, err := statusOf(pid)
	if err != nil {
		return 0
	}
	parent, err := facts.StatusInt("PPid", math.MaxInt32)(status)
	if err != nil {
		return 0
	}
	return parent
}

// unitEnds reads which processes end with a service of the system's manager. The one child of
// process 1 among the members is its main process. Without a known holder, a single member holds
// the socket.
func unitEnds(name string, pids, members []int) facts.UnitEnds {
	files, err := unitFiles(name, unitFolders())
	if err != nil {
		return facts.UnitEnds{}
	}
	u := facts.EndsIn(files...)
	if len(pids) == 0 && len(members) == 1 {
		pids = members
	}
	if u.KillMode == "process" { // else it makes no difference
		main := slices.DeleteFunc(slices.Clone(members), func(pid int) bool { return parentOf(pid) != 1 })
		u.Main = len(main) == 1 && slices.Contains(pids, main[0])
	}
	if _, err := os.Stat(unitsFolder); err == nil { // since systemd 236
		_, err = os.Lstat(filepath.Join(unitsFolder, "invocation:"+name))
		u.Inactive = errors.Is(err, fs.ErrNotExist)
	}
	return u
}

// supervisorOf finds the supervisor of one of the holders: the nearest ancestor that neither is a
// launcher nor a holder too. If no holder is known, it tells only the kind of one among the members.
func supervisorOf(pids, members []int) facts.Supervisor {
	for _, pid := range pids {
		up := parentOf(pid)
		for up > 1 && (slices.Contains(pids, up) || facts.RoleOf(argsOf(up)) == facts.Launches) {
			up = parentOf(up)
		}
		if s := supervisorAt(up); s.Kind != "" {
			return namedOf(s, up, pid)
		}
	}
	if len(pids) == 0 {
		for _, pid := range members {
			if s := supervisorAt(pid); s.Kind != "" {
				return facts.Supervisor{Kind: s.Kind, UID: s.UID}
			}
		}
	}
	return facts.Supervisor{}
}

// argsOf returns how a process was called, nothing if that cannot be read.
func argsOf(pid int) []string {
	cmdline, _ := readPath("/proc/" + strconv.Itoa(pid) + "/cmdline")
	return splitArgs(cmdline)
}

// supervisorAt describes a process if it is a supervisor with the files and pids of this process.
func supervisorAt(pid int) (s facts.Supervisor) {
	if pid <= 1 {
		return s
	}
	status, err := statusOf(pid)
	ids, errIDs := facts.ParseIDs(status)
	ours, errOurs := readPath("/proc/thread-self/status")
	if errors.Join(err, errIDs, errOurs) != nil || pidDepth(status) != pidDepth(ours) {
		return s
	}
	s.UID = ids.UID
	s.Kind, s.Service = facts.SupervisorOf(argsOf(pid))
	return s
}

// namedOf adds what the supervisor at up calls the service of a process.
func namedOf(s facts.Supervisor, up, pid int) facts.Supervisor {
	wd, err := os.Readlink("/proc/" + strconv.Itoa(up) + "/cwd")
	if err != nil {
		wd, _ = os.Readlink("/proc/" + strconv.Itoa(pid) + "/cwd")
	}
	environ, _ := readPath("/proc/" + strconv.Itoa(pid) + "/environ")
	variables := strings.Split(string(environ), "\x00")
	return named(s, wd, func(name string) string {
		for _, v := range variables {
			if value, ok := strings.CutPrefix(v, name+"="); ok {
				return value
			}
		}
		return ""
	})
}
