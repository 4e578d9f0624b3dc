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

// mounts are the lines of one mountinfo.
type mounts []mount

// parseMounts reads the lines that are whole.
func parseMounts(b []byte) mounts {
	var all mounts
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
func unescapeMount(s string) string {
	if !strings.Contains(s, `\`) {
		return s // as nearly all are
	}
	return unescape.Replace(s)
}

var unescape = strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`)

func (all mounts) byID(id string) (mount, bool) {
	for _, m := range all {
		if m.id == id {
			return m, true
		}
	}
	return mount{}, false
}

// at is the mount that a path leads to: from the root down, one mount after the
// other, and at one folder from the lowest to the one on top. There is none in a chroot
// to a folder within a mount: of the mounts only those that the root leads to are shown
// (seq_path_root).
func (all mounts) at(p string) (at mount, ok bool) {
	type place struct{ parent, point string }
	on, ids := map[place]mount{}, map[string]bool{} // of those on the way, of which few are
	for _, m := range all {
		if under(m.point, p) && m.parent != m.id {
			on[place{m.parent, m.point}], ids[m.id] = m, true
		}
	}
	for _, m := range all {
		if m.point == "/" && !ids[m.parent] {
			at, ok = m, true
			break
		}
	}
	left := len(on) // or they go in a circle, and are not all of one moment
	for i := 1; ok && i <= len(p); i++ {
		if i > 1 && i < len(p) && p[i] != '/' {
			continue
		}
		for m, more := on[place{at.id, p[:i]}]; more; m, more = on[place{at.id, p[:i]}] {
			at = m
			if left--; left < 0 {
				return mount{}, false
			}
		}
	}
	return at, ok
}

// elsewhere is the path at which somebody who sees the mounts theirs finds the file that
// is at path p of the mount m, and the mount there; false if at none.
func elsewhere(m mount, p string, theirs mounts) (string, mount, bool) {
	file := path.Join(m.root, strings.TrimPrefix(p, strings.TrimSuffix(m.point, "/")))
	in := func(t mount) (string, bool) {
		if t.dev != m.dev || !under(t.root, file) {
			return "", false
		}
		return path.Join(t.point, strings.TrimPrefix(file, strings.TrimSuffix(t.root, "/"))), true
	}
	leads := func(to string) (mount, bool) {
		t, ok := theirs.at(to)
		if !ok {
			return t, false
		}
		same, ok := in(t)
		return t, ok && same == to
	}
	if t, ok := leads(p); ok {
		return p, t, true
	}
	for _, t := range theirs {
		if to, ok := in(t); ok {
			if top, ok := leads(to); ok {
				return to, top, true
			}
		}
	}
	return "", mount{}, false
}

// under says whether a path is a folder or lies in it.
func under(folder, p string) bool {
	return folder == "/" || p == folder || strings.HasPrefix(p, folder+"/")
}
