package audit

import (
	"slices"
	"strconv"
	"strings"
)

// doors are files whose permission amounts to root, with the word of those who
// made them. A group is dangerous only for what it opens, so the files are looked
// at and not the names of groups.
var doors = []Door{
	// docs.docker.com, "Docker daemon attack surface": only trusted users should
	// be allowed to control the daemon, which can mount / into a container.
	{Path: "/run/docker.sock", Need: 2, Root: true, Allows: "have docker start a container with the machine's / in it"},
	{Path: "/run/containerd/containerd.sock", Need: 2, Root: true, Allows: "have containerd start a container with the machine's / in it"},
	{Path: "/run/crio/crio.sock", Need: 2, Root: true, Allows: "have CRI-O start a container with the machine's / in it"},
	{Path: "/run/podman/podman.sock", Need: 2, Root: true, Allows: "have root's podman start a container with the machine's / in it"},
	// documentation.ubuntu.com/lxd, "Access to the LXD daemon": local access gives
	// full access, including to attach file system paths.
	{Path: "/var/snap/lxd/common/lxd/unix.socket", Need: 2, Root: true, Allows: "have LXD start a container with the machine's / in it"},
	{Path: "/var/lib/lxd/unix.socket", Need: 2, Root: true, Allows: "have LXD start a container with the machine's / in it"},
	{Path: "/var/lib/incus/unix.socket", Need: 2, Root: true, Allows: "have Incus start a container with the machine's / in it"},
	// libvirt.org, "Connection authentication": a read-write connection is
	// equivalent to root, by the disks it can attach. Mode 0666 is the usual one, with
	// auth_unix_rw=polkit.
	{Path: "/run/libvirt/libvirt-sock", Need: 2, Root: true, Polkit: true, Allows: "have libvirt attach the machine's disks to a virtual machine"},
	{Path: "/run/libvirt/virtqemud-sock", Need: 2, Root: true, Polkit: true, Allows: "have libvirt attach the machine's disks to a virtual machine"},
	{Path: "/run/systemd/private", Need: 2, Root: true, Allows: "have systemd start any unit as root"},
	// mem(4); wiki.debian.org/SystemGroups says of kmem and disk what they read.
	{Path: "/dev/mem", Need: 4, Root: true, Allows: "read the machine's memory, and with it every secret"},
	{Path: "/dev/kmem", Need: 4, Root: true, Allows: "read the kernel's memory, and with it every secret"},
	{Path: "/etc/shadow", Need: 4, Allows: "read the hashes of passwords, to guess them elsewhere"},
	{Path: "/etc/gshadow", Need: 4, Allows: "read the hashes of group passwords, to guess them elsewhere"},
	{Path: "/etc/shadow", Need: 2, Root: true, Allows: "set root's password"},
	{Path: "/etc/passwd", Need: 2, Root: true, Allows: "add an account with uid 0"},
	{Path: "/etc/sudoers", Need: 2, Root: true, Allows: "let any account become root"},
	{Path: "/etc/ld.so.preload", Need: 2, Root: true, Allows: "run code in every program that root starts"},
}

// A disk is every file on it: wiki.debian.org/SystemGroups calls the group disk
// mostly equivalent to root. Memory and loop devices have names of their own.
const diskAllows = "read and write every file of a disk, past all permissions"

// isDisk says whether a name in /dev is that of a disk, a part of one, or a
// volume on some.
func isDisk(name string) bool {
	for _, prefix := range []string{"sd", "hd", "vd", "xvd", "nvme", "mmcblk", "dm-", "md", "pmem", "dasd"} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}

// opens says whether a thread that is not root and holds nothing may use the
// door, by its mode as inode_permission asks it: the bits of the owner, else of
// the group, else of all others. whose names which of them.
func (d Door) opens(t Thread) (whose string, ok bool) {
	switch {
	case t.UIDs.FS == d.UID:
		return "its user " + id(d.UID), d.Mode>>6&d.Need != 0
	case t.GIDs.FS == d.GID || slices.Contains(t.groups(), d.GID):
		return "its group " + id(d.GID), d.Mode>>3&d.Need != 0
	default:
		return "everybody", d.Mode&d.Need != 0
	}
}

// asks says that who may use the door is not in its mode.
func (d Door) asks() bool { return d.Polkit && d.Mode&d.Need != 0 }

func (t Thread) groups() []uint32 {
	all, _ := numbers("Groups", strings.Fields(t.Groups)) // as parseGroups wrote them
	return all
}

func id(n uint32) string { return strconv.FormatUint(uint64(n), 10) }
