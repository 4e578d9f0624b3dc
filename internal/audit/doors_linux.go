package audit

import (
	"fmt"
	"io"
	"os"
	"path"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// readDoors looks for the files that amount to root below root. In the image of a
// container /var/run may be a folder of its own, where a socket is mounted.
func readDoors(root int) ([]Door, error) {
	wanted := slices.Clone(doors)
	for _, d := range doors {
		if strings.HasPrefix(d.Path, "/run/") {
			d.Path = "/var" + d.Path
			wanted = append(wanted, d)
		}
	}
	disks, err := disks(root, maxDev)
	if err != nil {
		return nil, err
	}
	type use struct {
		dev, ino uint64
		need     uint32
	}
	seen := map[use]bool{}
	all := []Door{}
	for _, d := range append(wanted, disks...) {
		fd, err := open(root, d.Path)
		if gone(err) || err == unix.ENOTDIR {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", d.Path, err)
		}
		var st unix.Stat_t
		if err = unix.Fstat(fd, &st); err == nil {
			d.ACL, err = hasACL(fd)
		}
		unix.Close(fd)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", d.Path, err)
		}
		if isDisk(path.Base(d.Path)) && path.Dir(d.Path) == "/dev" && st.Mode&unix.S_IFMT != unix.S_IFBLK {
			continue
		}
		this := use{uint64(st.Dev), st.Ino, d.Need}
		if seen[this] {
			continue
		}
		seen[this] = true
		d.Mode, d.UID, d.GID = st.Mode, st.Uid, st.Gid
		all = append(all, d)
	}
	return all, nil
}

// maxDev is how many names of /dev are looked at: a container could have it full of
// devices to keep a reader busy.
const maxDev = 1 << 14

// disks names the disks in /dev, if it has no more than most names.
func disks(root, most int) ([]Door, error) {
	fd, err := unix.Openat2(root, "dev", &unix.OpenHow{Flags: unix.O_RDONLY | unix.O_DIRECTORY | unix.O_CLOEXEC, Resolve: unix.RESOLVE_IN_ROOT | unix.RESOLVE_NO_MAGICLINKS})
	if gone(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("/dev: %w", err)
	}
	dir := os.NewFile(uintptr(fd), "/dev")
	defer dir.Close()
	names, err := dir.Readdirnames(most + 1)
	if err != nil && err != io.EOF {
		return nil, err
	}
	if len(names) > most {
		return nil, fmt.Errorf("/dev has more than %d names", most)
	}
	slices.Sort(names)
	var all []Door
	for _, name := range names {
		if isDisk(name) {
			all = append(all, Door{Path: "/dev/" + name, Need: 4, Root: true, Allows: diskAllows})
		}
	}
	return all, nil
}
