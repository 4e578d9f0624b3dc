package caps

import "golang.org/x/sys/unix"

// A filesystem is what a scan has to know of one.
type filesystem struct {
	dev    uint64 // st_dev of what lies on it
	pseudo bool   // no program does
	lists  bool   // each attribute of a file is in the list of them
}

// filesystem says what the folder fd, which is on the device dev, lies on.
func (s *scanner) filesystem(fd int, dev uint64) (filesystem, error) {
	var fs unix.Statfs_t
	if err := unix.Fstatfs(fd, &fs); err != nil {
		return filesystem{}, err
	}
	return filesystem{dev: dev, pseudo: isPseudo(int64(fs.Type)), lists: s.at && listsAll(int64(fs.Type))}, nil
}

// isPseudo says of a statfs(2) type that no program lies on such a filesystem.
func isPseudo(fstype int64) bool {
	switch fstype & 0xffffffff {
	case unix.PROC_SUPER_MAGIC, unix.SYSFS_MAGIC, unix.CGROUP_SUPER_MAGIC, unix.CGROUP2_SUPER_MAGIC, unix.DEBUGFS_MAGIC,
		unix.TRACEFS_MAGIC, unix.SECURITYFS_MAGIC, unix.SELINUX_MAGIC, unix.SMACK_MAGIC, unix.BPF_FS_MAGIC, unix.PSTOREFS_MAGIC,
		unix.DEVPTS_SUPER_MAGIC, unix.EFIVARFS_MAGIC, unix.NSFS_MAGIC, unix.BINFMTFS_MAGIC, unix.RDTGROUP_SUPER_MAGIC,
		0x62656570, // configfs
		0x19800202, // mqueue
		0x65735543, // fusectl
		0x67596969: // rpc_pipefs
		return true
	}
	return false
}

// listsAll says of a statfs(2) type that listxattr(2) names every attribute in
// security.* that getxattr(2) has, to everybody. What a server answers, as for
// FUSE, is the server's affair; and so is what lies below an overlay.
func listsAll(fstype int64) bool {
	switch fstype & 0xffffffff {
	case unix.EXT4_SUPER_MAGIC, unix.XFS_SUPER_MAGIC, unix.BTRFS_SUPER_MAGIC, unix.TMPFS_MAGIC:
		return true
	}
	return false
}
