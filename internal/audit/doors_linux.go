package audit

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/lowport/lowport/internal/facts"
)

// A doorReader collects the doors of a view, each file once.
type doorReader struct {
	root     int             // an open descriptor of the root folder
	seen     map[use]*Door   // those that the view lets somebody use
	all      []*Door         // the same in order
	visited  map[string]bool // paths whose folders were looked at by above
	done     map[string]bool // what root runs, by path
	complete bool            // standard has been here
	walked   map[file]bool   // folders of trees
	files    map[file]bool   // shared: those of the trees of every view
	seats    map[use]seat    // those that somebody besides root may use, if on another mount
	everyone map[use]*Door   // shared: the doors of every view
	some     files           // of a process that has the view
	ours     facts.Mounts    // of the reader
	table    *mountTable     // of the view, once it is needed
}

// A use is a file and what may be done with it.
type use struct {
	dev, ino uint64
	need     uint32
}

// standard looks for the files that amount to root on every machine, also for those that
// root alone may use: a process can have them open.
func (r *doorReader) standard() error {
	if r.complete {
		return nil
	}
	wanted := slices.Clone(doors)
	for _, d := range doors {
		// In the image of a container /var/run may be a folder of its own, where a
		// socket is mounted.
		if strings.HasPrefix(d.Path, "/run/") {
			d.Path = "/var" + d.Path
			wanted = append(wanted, d)
		}
	}
	disks, err := disks(r.root, maxDev)
	if err != nil {
		return err
	}
	for _, d := range append(wanted, disks...) {
		if err := r.add(d); err != nil {
			return err
		}
		if strings.HasPrefix(d.Path, "/etc/") || strings.HasPrefix(d.Path, "/root/") {
			if err := r.above(d.Path, d.Allows); err != nil {
				return err
			}
		}
	}
	for _, d := range doorFolders {
		if err := r.folder(d); err != nil {
			return err
		}
	}
	for _, more := range []func() error{r.grown, r.libraries, r.pam, r.keys, r.cron} {
		if err := more(); err != nil {
			return err
		}
	}
	r.complete = true
	return nil
}

// add looks at a file. One that is not there is none.
func (r *doorReader) add(d Door) error {
	fd, err := open(r.root, d.Path)
	if gone(err) || err == unix.ENOTDIR {
		return nil
	}
	if err != nil {
		return fmt.Errorf("%s: %w", d.Path, err)
	}
	defer unix.Close(fd)
	return r.addOpen(fd, d)
}

func (r *doorReader) addOpen(fd int, d Door) error {
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return fmt.Errorf("%s: %w", d.Path, err)
	}
	kind := st.Mode & unix.S_IFMT
	if isDisk(path.Base(d.Path)) && path.Dir(d.Path) == "/dev" && kind != unix.S_IFBLK {
		return nil
	}
	this := use{uint64(st.Dev), st.Ino, d.Need}
	if r.seen[this] != nil {
		return nil
	}
	d.Mode, d.UID, d.GID = st.Mode, st.Uid, st.Gid
	door := &d
	if r.everyone[this] == nil {
		r.everyone[this] = door
	}
	if err := r.seat(fd, d, this); err != nil {
		return err
	}
	if d.Need&2 != 0 && (kind == unix.S_IFREG || kind == unix.S_IFDIR) {
		var mount unix.Statfs_t
		if err := unix.Fstatfs(fd, &mount); err != nil {
			return fmt.Errorf("%s: %w", d.Path, err)
		}
		if mount.Flags&unix.ST_RDONLY != 0 {
			return nil // nobody who sees it so may write it
		}
	}
	if d.lets(3) { // the group's bits bound what a list allows
		var err error
		if d.ACL, err = hasACL(fd); err != nil {
			return fmt.Errorf("%s: %w", d.Path, err)
		}
	}
	r.seen[this], r.all = door, append(r.all, door)
	return nil
}

// seat notes where a door lies that somebody besides root may use.
func (r *doorReader) seat(fd int, d Door, this use) error {
	if _, known := r.seats[this]; known || !d.anybody() {
		return nil
	}
	if r.table == nil {
		t, err := r.some.mountTable(r.ours)
		if err != nil {
			return err
		}
		r.table = &t
	}
	s := seat{door: d, file: this}
	var unseen errUnseen
	if s.spot, s.unknown = r.table.spot(fd); s.unknown != nil && !errors.As(s.unknown, &unseen) {
		return s.unknown
	}
	r.seats[this] = s
	return nil
}

// above adds the folders above a path: who may write one puts another file, or another
// folder, there. In a sticky one only the owner of an entry may replace it, yet anybody
// who may write the folder makes the entry where it is missing.
func (r *doorReader) above(name, allows string) error {
	for name != "/" && !r.visited[name] {
		r.visited[name] = true
		entry := path.Base(name)
		name = path.Dir(name)
		d := Door{Path: name, Need: 3, Root: true, Allows: allows}
		fd, err := open(r.root, d.Path)
		if gone(err) || err == unix.ENOTDIR {
			continue
		}
		if err != nil {
			return fmt.Errorf("%s: %w", d.Path, err)
		}
		var st unix.Stat_t
		if err = unix.Fstat(fd, &st); err == nil && st.Mode&unix.S_IFMT == unix.S_IFDIR && !(st.Uid == 0 && keeps(fd, st, entry)) {
			err = r.addOpen(fd, d)
		}
		unix.Close(fd)
		if err != nil {
			return err
		}
	}
	return nil
}

// keeps reports whether a folder is sticky and has the entry already.
func keeps(fd int, folder unix.Stat_t, entry string) bool {
	var st unix.Stat_t
	return folder.Mode&unix.S_ISVTX != 0 && unix.Fstatat(fd, entry, &st, unix.AT_SYMLINK_NOFOLLOW) == nil
}

// folder adds a folder, those above it and the files in it.
func (r *doorReader) folder(d Door) error {
	d.Need, d.Root = 3, true
	if err := r.above(d.Path+"/x", d.Allows); err != nil {
		return err
	}
	if err := r.add(d); err != nil { // a sticky one too: a new file is enough
		return err
	}
	names, err := r.list(d.Path, maxDev)
	if err != nil {
		return err
	}
	for _, name := range names {
		if !obeyed(d.Path, name) {
			continue
		}
		e := Door{Path: d.Path + "/" + name, Need: 2, Root: true, Allows: d.Allows}
		if err := errors.Join(r.entry(e), r.within(e)); err != nil {
			return err
		}
	}
	return nil
}

// obeyed reports whether what a folder says of its files holds for one of that name.
func obeyed(folder, name string) bool {
	switch {
	case strings.HasPrefix(folder, "/var/spool/cron"):
		return name == "root" // any other is that user's
	case folder == "/root":
		return strings.HasPrefix(name, ".") // shells and other programs read those
	case folder == "/var/lib/dpkg/info":
		ext := path.Ext(name)
		return ext == ".preinst" || ext == ".postinst" || ext == ".prerm" || ext == ".postrm" || ext == ".config"
	case folder == "/var/spool/at":
		return false // a job is its owner's
	}
	return true
}

// within adds the files of a folder in a folder of settings, such as the drop-ins of a unit.
func (r *doorReader) within(d Door) error {
	if !strings.HasPrefix(d.Path, "/etc/") && !strings.HasPrefix(d.Path, "/run/") && !strings.Contains(d.Path, "/systemd/") {
		return nil
	}
	names, err := r.list(d.Path, maxDev)
	if err != nil {
		return err
	}
	for _, name := range names {
		if err := r.entry(Door{Path: d.Path + "/" + name, Need: 2, Root: true, Allows: d.Allows}); err != nil {
			return err
		}
	}
	return nil
}

// entry adds a file of a folder; where it is a link, what that leads to.
func (r *doorReader) entry(d Door) error {
	fd, err := open(r.root, d.Path)
	if gone(err) || err == unix.ENOTDIR || err == unix.ELOOP {
		return nil // a link that leads nowhere
	}
	if err != nil {
		return fmt.Errorf("%s: %w", d.Path, err)
	}
	defer unix.Close(fd)
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return fmt.Errorf("%s: %w", d.Path, err)
	}
	switch st.Mode & unix.S_IFMT {
	case unix.S_IFREG:
		return r.addOpen(fd, d)
	case unix.S_IFDIR:
		d.Need = 3
		return r.addOpen(fd, d)
	}
	return nil // a unit that is masked is a link to /dev/null
}

// maxDev is how many names of a folder are looked at: a container could have /dev full of
// devices to keep a reader busy.
const maxDev = 1 << 14

// list names the entries of a folder, if it has no more than most.
func (r *doorReader) list(folder string, most int) ([]string, error) {
	fd, err := openWith(r.root, folder, unix.O_RDONLY|unix.O_DIRECTORY)
	if gone(err) || err == unix.ENOTDIR {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", folder, err)
	}
	dir := os.NewFile(uintptr(fd), folder)
	defer dir.Close()
	names, err := dir.Readdirnames(most + 1)
	if err != nil && err != io.EOF {
		return nil, err
	}
	if len(names) > most {
		return nil, fmt.Errorf("%s has more than %d names", folder, most)
	}
	slices.Sort(names)
	return names, nil
}

// disks names the disks in /dev, if it has no more than most names.
func disks(root, most int) ([]Door, error) {
	r := doorReader{root: root}
	names, err := r.list("/dev", most)
	var all []Door
	for _, name := range names {
		if isDisk(name) {
			all = append(all, Door{Path: "/dev/" + name, Need: 4, Root: true, Allows: diskAllows})
		}
	}
	return all, err
}
