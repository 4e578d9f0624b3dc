package audit

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/lowport/lowport/caps"
)

// ParseThread reads a /proc/PID/task/TID/status (proc_pid_status(5)). Every line
// that it needs must be there, once and whole. A kernel without seccomp has no
// such line, which reads as disabled.
func ParseThread(status []byte) (Thread, error) {
	var t Thread
	var err error
	if t.State, err = caps.ParseStatus(status); err != nil {
		return Thread{}, err
	}
	if t.UIDs, err = parseIDs(status, "Uid"); err != nil {
		return Thread{}, err
	}
	if t.GIDs, err = parseIDs(status, "Gid"); err != nil {
		return Thread{}, err
	}
	if t.Groups, err = parseGroups(status); err != nil {
		return Thread{}, err
	}
	if bytes.Contains(status, []byte("\nSeccomp:")) {
		if t.Seccomp, err = caps.ParseSeccomp(status); err != nil {
			return Thread{}, err
		}
	}
	return t, nil
}

// field returns the words of a line; it must be there once, and end.
func field(status []byte, name string) ([]string, error) {
	var words []string
	seen := 0
	for line := range strings.Lines(string(status)) {
		if n, v, ok := strings.Cut(line, ":"); ok && n == name && strings.HasSuffix(line, "\n") {
			words, seen = strings.Fields(v), seen+1
		}
	}
	if seen != 1 {
		return nil, fmt.Errorf("status: %s: %d lines, not 1", name, seen)
	}
	return words, nil
}

func parseIDs(status []byte, name string) (IDs, error) {
	words, err := field(status, name)
	if err != nil {
		return IDs{}, err
	}
	ids, err := numbers(name, words)
	if err == nil && len(ids) != 4 {
		err = fmt.Errorf("status: %s: %d ids, not 4", name, len(ids))
	}
	if err != nil {
		return IDs{}, err
	}
	return IDs{ids[0], ids[1], ids[2], ids[3]}, nil
}

func parseGroups(status []byte) (string, error) {
	words, err := field(status, "Groups")
	if err != nil {
		return "", err
	}
	ids, err := numbers("Groups", words)
	if err != nil {
		return "", err
	}
	slices.Sort(ids)
	text := fmt.Sprint(slices.Compact(ids))
	return text[1 : len(text)-1], nil
}

func numbers(name string, words []string) ([]uint32, error) {
	var all []uint32
	for _, w := range words {
		n, err := strconv.ParseUint(w, 10, 32)
		if err != nil {
			return nil, fmt.Errorf("status: %s: %.40q is not an id", name, w)
		}
		all = append(all, uint32(n))
	}
	return all, nil
}

// ended says of a status that its process has ended and is not reaped yet: the
// first thread may have, and others go on.
func ended(status []byte) bool { return threadEnded(status) && alone(status) }

func threadEnded(status []byte) bool {
	return bytes.Contains(status, []byte("\nState:\tZ")) || bytes.Contains(status, []byte("\nState:\tX"))
}

// ending says of a status that its thread ends or has ended: it has given up its
// memory (exit_mm), for which task_mem prints VmSize, and with it its program.
func ending(status []byte) bool { return !bytes.Contains(status, []byte("\nVmSize:")) }

func alone(status []byte) bool {
	words, err := field(status, "Threads")
	return err == nil && len(words) == 1 && (words[0] == "0" || words[0] == "1")
}

// isKernel says of a status that it is a thread of the kernel's own: it has no
// memory, and so no program. The first thread of a process that ends, while others go on,
// has none either.
func isKernel(status []byte) bool {
	return !threadEnded(status) && alone(status) && ending(status)
}

// uidMap joins the rows of a uid_map by commas.
func uidMap(text []byte) string {
	var rows []string
	for line := range strings.Lines(string(text)) {
		rows = append(rows, strings.Join(strings.Fields(line), " "))
	}
	return strings.Join(rows, ", ")
}

// hides says of a /proc/PID/mountinfo that the last mount on /proc hides
// processes from those that are not in its group: hidepid= of proc(5). It returns
// the options of the mount, and the group, 0 for none; with hidepid=ptraceable there
// is none (has_pid_permissions).
func hides(mountinfo []byte) (options string, gid uint32, hidden bool) {
	for line := range strings.Lines(string(mountinfo)) {
		// id parent major:minor root mount-point options … - type source super-options
		before, after, ok := strings.Cut(strings.TrimSuffix(line, "\n"), " - ")
		f, g := strings.Fields(before), strings.Fields(after)
		if !ok || len(f) < 5 || f[4] != "/proc" || len(g) < 3 || g[0] != "proc" {
			continue
		}
		options, gid, hidden = g[2], 0, false
		ptraceable := false
		for option := range strings.SplitSeq(g[2], ",") {
			if v, ok := strings.CutPrefix(option, "hidepid="); ok && v != "0" && v != "off" {
				hidden, ptraceable = true, v == "4" || v == "ptraceable"
			}
			if v, ok := strings.CutPrefix(option, "gid="); ok {
				n, _ := strconv.ParseUint(v, 10, 32)
				gid = uint32(n)
			}
		}
		if ptraceable {
			gid = 0
		}
	}
	return options, gid, hidden
}
