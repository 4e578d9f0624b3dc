package live

import (
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/lowport/lowport/internal/task"
	"golang.org/x/sys/unix"
)

// nameCgroups gives the sockets the paths of their cgroups: the id is the inode
// of the cgroup's directory.
func nameCgroups(found []socket) {
	want := map[uint64][]*socket{}
	for i, s := range found {
		if s.cgroupID != 0 {
			want[s.cgroupID] = append(want[s.cgroupID], &found[i])
		}
	}
	for _, root := range []string{"/sys/fs/cgroup", "/sys/fs/cgroup/unified"} {
		var st unix.Statfs_t
		if len(want) == 0 || unix.Statfs(root, &st) != nil || st.Type != unix.CGROUP2_SUPER_MAGIC {
			continue
		}
		dirs := []string{root}
		for len(want) > 0 && len(dirs) > 0 {
			dir := dirs[len(dirs)-1]
			dirs = dirs[:len(dirs)-1]
			var st unix.Stat_t
			if unix.Lstat(dir, &st) != nil {
				continue
			}
			for _, s := range want[st.Ino] {
				s.folder, s.Cgroup = dir, "/"+strings.TrimPrefix(strings.TrimPrefix(dir, root), "/")
			}
			delete(want, st.Ino)
			entries, _ := os.ReadDir(dir)
			for _, e := range entries {
				if e.IsDir() {
					dirs = append(dirs, dir+"/"+e.Name())
				}
			}
		}
	}
}

// How many descriptors of a process look looks at.
const (
	every            = -1 // all of them
	firstDescriptors = 64 // at first, since servers have their listeners among these
)

// nameProcesses gives the sockets the processes that hold them. It can read the descriptors of
// this process and of those that it may trace. It looks at the first descriptors of every
// process. For a socket whose process it did not find, it then looks at all descriptors of
// the processes in the socket's cgroup, then of all others.
func nameProcesses(found []socket) {
	h := holders{of: map[uint64][]*socket{}}
	for i, s := range found {
		if s.Inode != 0 { // it is 0 in TIME_WAIT
			h.of[s.Inode] = append(h.of[s.Inode], &found[i])
		}
	}
	if len(h.of) == 0 {
		return
	}
	self, err := self()
	if err != nil {
		h.lookAtOurs()
		return
	}
	h.self = self
	h.look([]int{self}, every)
	procs, err := task.Open("/proc")
	if err != nil {
		return
	}
	defer procs.Close()
	pids, _ := procs.IDs(nil)
	h.look(pids, firstDescriptors)
	h = h.unnamed()
	h.look(h.neighbors(), every)
	if h = h.unnamed(); len(h.of) > 0 {
		h.look(pids, every)
	}
}

// holders are sockets whose holders are looked for.
type holders struct {
	self int // the number of this process, as /proc has it
	of   map[uint64][]*socket
}

// unnamed returns those of which no holder was found.
func (h holders) unnamed() holders {
	left := holders{self: h.self, of: map[uint64][]*socket{}}
	for inode, socks := range h.of {
		if socks[0].PID == 0 {
			left.of[inode] = socks
		}
	}
	return left
}

// neighbors returns the processes in the cgroups of the sockets: a socket stays in the cgroup in
// which it was made.
func (h holders) neighbors() (pids []int) {
	seen := map[string]bool{"": true}
	for _, socks := range h.of {
		folder := socks[0].folder
		if seen[folder] {
			continue
		}
		seen[folder] = true
		pids = append(pids, membersOf(folder)...)
	}
	return pids
}

// membersOf lists the processes in a cgroup.
func membersOf(folder string) (pids []int) {
	if folder == "" {
		return nil
	}
	b, _ := readPath(folder + "/cgroup.procs")
	for word := range strings.FieldsSeq(string(b)) {
		if pid, err := strconv.Atoi(word); err == nil && pid > 0 { // 0 is of another pid namespace
			pids = append(pids, pid)
		}
	}
	return pids
}

// lookAtOurs looks at the descriptors of this process where there is no /proc that lists them.
func (h holders) lookAtOurs() {
	for fd := range firstDescriptors {
		var st unix.Stat_t
		if unix.Fstat(fd, &st) != nil || st.Mode&unix.S_IFMT != unix.S_IFSOCK {
			continue
		}
		for _, s := range h.of[st.Ino] {
			s.PID, s.Self, s.FD = os.Getpid(), true, fd
		}
	}
}

// look looks for the sockets among the descriptors of each process, at most so many of each.
func (h holders) look(pids []int, most int) {
	if len(h.of) == 0 {
		return
	}
	var fds []int
	for _, pid := range pids {
		dir, err := task.Open("/proc/" + strconv.Itoa(pid) + "/fd")
		if err != nil {
			continue
		}
		if most == every {
			fds, _ = dir.IDs(fds[:0])
		} else {
			fds, _ = dir.First(fds[:0], most)
		}
		for _, fd := range fds {
			link, err := dir.Link(fd)
			digits, ok := strings.CutPrefix(link, "socket:[")
			if err != nil || !ok {
				continue
			}
			if inode, err := strconv.ParseUint(strings.TrimSuffix(digits, "]"), 10, 64); err == nil {
				h.holds(inode, pid, fd)
			}
		}
		dir.Close()
	}
}

// holds notes that a process has a socket as its descriptor fd.
func (h holders) holds(inode uint64, pid, fd int) {
	for _, s := range h.of[inode] {
		switch {
		case s.PID == pid || slices.Contains(s.Also, pid):
		case s.PID != 0:
			s.Also = append(s.Also, pid)
		default:
			comm, _ := readPath("/proc/" + strconv.Itoa(pid) + "/comm")
			s.PID, s.Command = pid, strings.TrimSuffix(string(comm), "\n")
			if pid == h.self {
				s.Self, s.FD = true, fd
			}
		}
	}
}
