package machine

import (
	"path"
	"slices"
	"strings"
)

// A mount is a line of /proc/PID/mountinfo (proc_pid_mountinfo(5)).
type mount struct {
	id, parent string
	dev        string // of the file system
	root       string // the folder of the file system that is mounted
	point      string // where
	readOnly   bool
}

// parseMounts reads the lines that are whole.
func parseMounts(b []byte) []mount {
	var all []mount
	for l := range strings.Lines(string(b)) {
		if f := strings.Fields(l); len(f) > 5 {
			_, super, _ := strings.Cut(l, " - ") // the type, what is mounted, and options of the file system
			all = append(all, mount{f[0], f[1], f[2], unescapeMount(f[3]), unescapeMount(f[4]), hasRO(f[5]) || hasRO(super[strings.LastIndex(super, " ")+1:])})
		}
	}
	return all
}

func hasRO(options string) bool {
	return slices.Contains(strings.Split(strings.TrimSuffix(options, "\n"), ","), "ro")
}

// unescapeMount undoes the \ooo of mountinfo.
var unescapeMount = strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`).Replace

func mountByID(all []mount, id string) (mount, bool) {
	for _, m := range all {
		if m.id == id {
			return m, true
		}
	}
	return mount{}, false
}

// rootMount is the one that / lies on. There is none in a chroot to a folder within
// a mount: of the mounts only those that the root leads to are shown (seq_path_root).
func rootMount(all []mount) (mount, bool) {
	for _, m := range all {
		if m.point != "/" {
			continue
		}
		if _, below := mountByID(all, m.parent); !below || m.parent == m.id {
			return m, true
		}
	}
	return mount{}, false
}

// mountAt is the mount that a path leads to: from the root down, one mount after the
// other, the nearest first.
func mountAt(all []mount, p string) (mount, bool) {
	at, ok := rootMount(all)
	for down := ok; down; {
		down = false
		next := at
		for _, m := range all {
			if m.parent == at.id && m.id != at.id && under(m.point, p) && (!down || len(m.point) < len(next.point)) {
				next, down = m, true
			}
		}
		at = next
	}
	return at, ok
}

// elsewhere is the path at which somebody who sees the mounts theirs finds the file that
// is at path p of the mount m, and the mount there; false if at none.
func elsewhere(m mount, p string, theirs []mount) (string, mount, bool) {
	file := path.Join(m.root, strings.TrimPrefix(p, strings.TrimSuffix(m.point, "/")))
	at := func(t mount) (string, bool) {
		if t.dev != m.dev || !under(t.root, file) {
			return "", false
		}
		return path.Join(t.point, strings.TrimPrefix(file, strings.TrimSuffix(t.root, "/"))), true
	}
	if t, ok := mountAt(theirs, p); ok {
		if same, ok := at(t); ok && same == p {
			return p, t, true
		}
	}
	for _, t := range theirs {
		if to, ok := at(t); ok {
			if seen, _ := mountAt(theirs, to); seen.id == t.id {
				return to, t, true
			}
		}
	}
	return "", mount{}, false
}

// under says whether a path is a folder or lies in it.
func under(folder, p string) bool {
	return folder == "/" || p == folder || strings.HasPrefix(p, folder+"/")
}
