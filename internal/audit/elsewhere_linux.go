package audit

import (
	"fmt"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/lowport/lowport/internal/facts"
)

// A spot is where a file lies on its file system, wherever that is mounted.
type spot struct{ dev, path string }

// A seat is a door that somebody besides root may use, as it is seen from one view.
// Processes of other views may see the same file, at the same path or at another one.
type seat struct {
	door    Door
	file    use
	spot    spot
	unknown error // why the spot is not known
}

// mountTable is what a view has mounted.
type mountTable struct {
	root   string       // its root folder, as links in /proc show it
	mounts facts.Mounts // below that
	ours   facts.Mounts // of the reader, from the root folder that links start from
}

func (f files) mountTable(ours facts.Mounts) (mountTable, error) {
	t := mountTable{ours: ours}
	b, err := f.read("mountinfo")
	if err != nil {
		return t, err
	}
	t.mounts = facts.ParseMounts(b)
	t.root, err = os.Readlink(f.path("root"))
	return t, err
}

// hasRoot reports whether the root folder is among the mounts. That of a chroot within a
// mount is not (seq_path_root).
func (t mountTable) hasRoot() bool {
	return slices.ContainsFunc(t.mounts, func(m facts.Mount) bool { return m.Point == "/" })
}

// withRoot adds the root folder where the mount that it lies on is known.
func (t mountTable) withRoot(root int) mountTable {
	if t.hasRoot() {
		return t
	}
	if s, err := t.spot(root); err == nil {
		t.mounts = append(t.mounts, facts.Mount{Dev: s.dev, Root: s.path, Point: "/"})
	}
	return t
}

// errUnseen is of a mount that no list shows, as that of the root folder in a chroot.
type errUnseen string

func (e errUnseen) Error() string { return "the mount of " + string(e) + " is not shown" }

// spot says where an open file lies: by the id of its mount, for one may lie over another.
func (t mountTable) spot(fd int) (spot, error) {
	self := files{"/proc/thread-self", 0}
	info, err := self.read("fdinfo/" + strconv.Itoa(fd))
	if err != nil {
		return spot{}, err
	}
	id, err := field(info, "mnt_id")
	if err != nil || len(id) != 1 {
		return spot{}, fmt.Errorf("fdinfo: mnt_id: %v, %w", id, err)
	}
	name, err := os.Readlink(self.path("fd/" + strconv.Itoa(fd)))
	if err != nil {
		return spot{}, err
	}
	m, found := t.ours.ByID(id[0])
	if !found {
		var below bool
		if name, below = cutFolder(name, t.root); !below {
			return spot{}, errUnseen(name)
		}
		if m, found = t.mounts.ByID(id[0]); !found {
			return spot{}, errUnseen(name)
		}
	}
	rest, below := cutFolder(name, m.Point)
	if !below {
		return spot{}, errUnseen(name)
	}
	return spot{m.Dev, path.Join(m.Root, rest)}, nil
}

// cutFolder returns a path as it is seen from a folder, if it lies there.
func cutFolder(name, folder string) (string, bool) {
	if folder == "/" || name == folder {
		return "/" + strings.Trim(strings.TrimPrefix(name, folder), "/"), true
	}
	rest, ok := strings.CutPrefix(name, folder+"/")
	return "/" + rest, ok
}

// paths are those at which a view with these mounts may see a spot. Another mount may hide
// it there.
func (s spot) paths(mounts facts.Mounts) (all []string) {
	for _, m := range mounts {
		if m.Dev != s.dev {
			continue
		}
		if rest, below := cutFolder(s.path, m.Root); below {
			all = append(all, path.Join(m.Point, rest))
		}
	}
	return all
}

// adopt adds a door of another view where this one sees the same file, or may see it.
func (r *doorReader) adopt(s seat, t mountTable) error {
	if s.unknown != nil {
		return r.unsure(s, s.unknown)
	}
	var root unix.Stat_t
	if err := unix.Fstat(r.root, &root); err != nil {
		return err
	}
	if !t.hasRoot() && s.file.dev == uint64(root.Dev) {
		return r.unsure(s, errUnseen("the root folder"))
	}
	for _, name := range s.spot.paths(t.mounts) {
		if err := r.same(s, name); err != nil {
			return err
		}
	}
	return nil
}

// unsure adds a door that the view may or may not have.
func (r *doorReader) unsure(s seat, why error) error {
	if r.seen[s.file] == nil {
		d := s.door
		d.Unsure = why.Error()
		r.all = append(r.all, &d)
	}
	return nil
}

// same adds a door under that name if it is the same file there.
func (r *doorReader) same(s seat, name string) error {
	fd, err := open(r.root, name)
	if gone(err) || err == unix.ENOTDIR {
		return nil
	}
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	defer unix.Close(fd)
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if uint64(st.Dev) != s.file.dev || st.Ino != s.file.ino {
		return nil
	}
	d := s.door
	d.Path = name
	return r.addOpen(fd, d)
}
