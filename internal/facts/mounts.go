package facts

import (
	"path"
	"slices"
	"strings"
)

// A Mount is a line of /proc/PID/mountinfo (proc_pid_mountinfo(5)).
type Mount struct {
	ID, Parent string
	Dev        string // of the file system
	Root       string // the folder of the file system that is mounted
	Point      string // where
	ReadOnly   bool
	Idmapped   bool // it shows other owners than the file system has (mount_setattr(2))
}

// Mounts are the lines of one mountinfo.
type Mounts []Mount

// ParseMounts reads the lines that are whole.
func ParseMounts(b []byte) Mounts {
	var all Mounts
	for l := range strings.Lines(string(b)) {
		if f := strings.Fields(l); len(f) > 5 {
			_, super, _ := strings.Cut(l, " - ") // the type, what is mounted, and options of the file system
			all = append(all, Mount{
				ID: f[0], Parent: f[1], Dev: f[2], Root: unescapeMount(f[3]), Point: unescapeMount(f[4]),
				ReadOnly: has(f[5], "ro") || has(super[strings.LastIndex(super, " ")+1:], "ro"), Idmapped: has(f[5], "idmapped"),
			})
		}
	}
	return all
}

func has(options, one string) bool {
	return slices.Contains(strings.Split(strings.TrimSuffix(options, "\n"), ","), one)
}

// unescapeMount undoes the \ooo of mountinfo.
func unescapeMount(s string) string {
	if !strings.Contains(s, `\`) {
		return s // as nearly all are
	}
	return unescape.Replace(s)
}

var unescape = strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`)

// ByID returns the mount with that id.
func (all Mounts) ByID(id string) (Mount, bool) {
	for _, m := range all {
		if m.ID == id {
			return m, true
		}
	}
	return Mount{}, false
}

// At returns the mount that a path leads to: from the root down, one mount after the
// other, and at one folder from the lowest to the one on top. There is none in a chroot
// to a folder within a mount: of the mounts only those that the root leads to are shown
// (seq_path_root).
func (all Mounts) At(p string) (at Mount, ok bool) {
	type place struct{ parent, point string }
	on, ids := map[place]Mount{}, map[string]bool{} // of those on the way, of which few are
	for _, m := range all {
		if under(m.Point, p) && m.Parent != m.ID {
			on[place{m.Parent, m.Point}], ids[m.ID] = m, true
		}
	}
	for _, m := range all {
		if m.Point == "/" && !ids[m.Parent] {
			at, ok = m, true
			break
		}
	}
	left := len(on) // or they go in a circle, and are not all of one moment
	for i := 1; ok && i <= len(p); i++ {
		for m, more := on[place{at.ID, p[:i]}]; more; m, more = on[place{at.ID, p[:i]}] {
			at = m
			if left--; left < 0 {
				return Mount{}, false
			}
		}
	}
	return at, ok
}

// Elsewhere returns the path at which somebody who sees the mounts theirs finds the file that
// is at path p of the mount m, and the mount there; false if at none.
func Elsewhere(m Mount, p string, theirs Mounts) (string, Mount, bool) {
	file := path.Join(m.Root, strings.TrimPrefix(p, strings.TrimSuffix(m.Point, "/")))
	in := func(t Mount) (string, bool) {
		if t.Dev != m.Dev || !under(t.Root, file) {
			return "", false
		}
		return path.Join(t.Point, strings.TrimPrefix(file, strings.TrimSuffix(t.Root, "/"))), true
	}
	leads := func(to string) (Mount, bool) {
		t, ok := theirs.At(to)
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
	return "", Mount{}, false
}

// under reports whether a path is a folder or lies in it.
func under(folder, p string) bool {
	return folder == "/" || p == folder || strings.HasPrefix(p, folder+"/")
}
