package audit

import (
	"fmt"
	"os"
	"path"
	"slices"

	"golang.org/x/sys/unix"
)

// readDoors looks for the files that amount to root below root.
func readDoors(root int) ([]Door, error) {
	wanted := slices.Clone(doors)
	disks, err := disks(root)
	if err != nil {
		return nil, err
	}
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
		d.Mode, d.UID, d.GID = st.Mode, st.Uid, st.Gid
		all = append(all, d)
	}
	return all, nil
}

// disks names the disks in /dev.
func disks(root int) ([]Door, error) {
	fd, err := unix.Openat2(root, "dev", &unix.OpenHow{Flags: unix.O_RDONLY | unix.O_DIRECTORY | unix.O_CLOEXEC, Resolve: unix.RESOLVE_IN_ROOT | unix.RESOLVE_NO_MAGICLINKS})
	if gone(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("/dev: %w", err)
	}
	dir := os.NewFile(uintptr(fd), "/dev")
	defer dir.Close()
	names, err := dir.Readdirnames(-1)
	if err != nil {
		return nil, err
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
