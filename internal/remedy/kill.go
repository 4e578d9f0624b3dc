package remedy

import (
	"strconv"
	"strings"

	"github.com/lowport/lowport/guard/report"
	"github.com/lowport/lowport/internal/facts"
)

// countsAlike reports whether the operator numbers processes as this process does. If no operator
// can be read, it does if the parent has a number here.
func countsAlike(f *facts.Facts) bool {
	o := f.Launcher.Operator
	parent, known := f.Proc.Parent.Is()
	return o.Value.SamePID || o.State == facts.Unreadable && known && parent != 0
}

// ownPIDs reports whether this process is known to be in a pid namespace beside the machine's, from
// which processes of others that share its network cannot be seen.
func ownPIDs(f *facts.Facts) bool {
	return f.Launcher.Container.State == facts.Known || f.Launcher.Sandbox.Value
}

// whereFound says where the holder of a socket can be found by that, and returns the facts by which
// sudo decides for who works there. The machine's own root sees every process.
func whereFound(f *facts.Facts) (where string, as *facts.Facts) {
	switch {
	case f.Launcher.Container.State == facts.Known:
		return "on the host, ", &facts.Facts{}
	case f.Launcher.Sandbox.Value:
		return "outside of the program's pid namespace, ", &facts.Facts{}
	default:
		return "", f
	}
}

// kill returns the steps that end the holders of a socket by their ids, see countsAlike. The
// operator needs no privilege for processes of the same user. SIGCONT does no harm to a process that
// runs, and one that is stopped gets SIGTERM only behind it.
func kill(f *facts.Facts, s facts.Socket, pids []int) (steps []report.Step) {
	ids, known := f.Proc.IDs.Is()
	own := known && ids.UID == s.UID && f.Launcher.Operator.Value.UID == s.UID
	for _, signal := range signals(s.Ends) {
		words := append([]string{"kill"}, signal...)
		for _, pid := range pids {
			words = append(words, strconv.Itoa(pid))
		}
		line := sudo(f, words...)
		if own {
			line = Command(words...)
		}
		steps = append(steps, report.Step{Run: line})
	}
	return steps
}

// signals returns the options of kill(1) that end a process, one after the other.
func signals(e facts.Ends) [][]string {
	switch {
	case e.Deaf:
		return [][]string{{"-KILL"}}
	case e.Stopped:
		return [][]string{{"-CONT"}, nil}
	default:
		return [][]string{nil}
	}
}

// killHolders returns a script that ends every process that has one of the sockets, except
// process 1. Root can read the descriptors of each process, whatever its user and its pid
// namespace.
func killHolders(inodes []uint64, e facts.Ends) string {
	var names []string
	for _, inode := range inodes {
		names = append(names, `-lname "socket:[[]`+strconv.FormatUint(inode, 10)+`]"`)
	}
	found := "$(find /proc/[0-9]*/fd " + strings.Join(names, " -o ") + " | cut -d/ -f3 | grep -vx 1 | sort -u)"
	switch {
	case e.Deaf:
		return "kill -KILL " + found
	case e.Stopped:
		return "p=" + found + "; kill -CONT $p && kill $p"
	default:
		return "kill " + found
	}
}
