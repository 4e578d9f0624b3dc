package audit

import (
	"slices"
	"strconv"
	"strings"
)

// doors are files whose permission amounts to root, with the word of those who
// made them. A group is dangerous only for what it opens, so the files are looked
// at and not the names of groups. What obeys a file is in its manual page: sudo.conf(5),
// newuidmap(1), group(5), systemd-system.conf(5), rsyslog.conf(5) on omprog.
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
	{Path: "/dev/mem", Need: 2, Root: true, Allows: "change the machine's memory"},
	{Path: "/dev/port", Need: 2, Root: true, Allows: "write to devices below the kernel's permissions"},
	{Path: "/dev/kmem", Need: 4, Root: true, Allows: "read the kernel's memory, and with it every secret"},
	{Path: "/etc/shadow", Need: 4, Allows: "read the hashes of passwords, to guess them elsewhere"},
	{Path: "/etc/gshadow", Need: 4, Allows: "read the hashes of group passwords, to guess them elsewhere"},
	{Path: "/etc/shadow-", Need: 4, Allows: "read the hashes of passwords, to guess them elsewhere"},
	{Path: "/etc/gshadow-", Need: 4, Allows: "read the hashes of group passwords, to guess them elsewhere"},
	{Path: "/etc/shadow", Need: 2, Root: true, Allows: "set root's password"},
	{Path: "/etc/passwd", Need: 2, Root: true, Allows: "add an account with uid 0"},
	{Path: "/etc/group", Need: 2, Root: true, Allows: "add an account to a group such as disk, shadow, sudo or docker"},
	{Path: "/etc/gshadow", Need: 2, Root: true, Allows: "set the password of a group such as disk, shadow, sudo or docker"},
	{Path: "/etc/subuid", Need: 2, Root: true, Allows: "map root into a user namespace of an account (newuidmap(1))"},
	{Path: "/etc/subgid", Need: 2, Root: true, Allows: "map the group disk or shadow into a user namespace of an account (newgidmap(1))"},
	{Path: "/etc/sudoers", Need: 2, Root: true, Allows: "let any account become root"},
	{Path: "/etc/sudo.conf", Need: 2, Root: true, Allows: "have sudo load a plugin"},
	{Path: "/etc/pam.conf", Need: 2, Root: true, Allows: "log in as root"},
	{Path: "/etc/login.defs", Need: 2, Root: true, Allows: "set what root's logins run"},
	{Path: "/etc/ld.so.preload", Need: 2, Root: true, Allows: "run code in every program that root starts"},
	{Path: "/etc/ld.so.cache", Need: 2, Root: true, Allows: "run code in every program that root starts"},
	{Path: "/etc/ld.so.conf", Need: 2, Root: true, Allows: "run code in every program that root starts"},
	{Path: "/etc/crontab", Need: 2, Root: true, Allows: "have cron run a command as root"},
	{Path: "/etc/anacrontab", Need: 2, Root: true, Allows: "have anacron run a command as root"},
	{Path: "/etc/inittab", Need: 2, Root: true, Allows: "run a command as root at the next start of the machine"},
	{Path: "/etc/inetd.conf", Need: 2, Root: true, Allows: "have inetd run a program as root"},
	{Path: "/etc/xinetd.conf", Need: 2, Root: true, Allows: "have xinetd run a program as root"},
	{Path: "/etc/logrotate.conf", Need: 2, Root: true, Allows: "have logrotate run a command as root"},
	{Path: "/etc/rsyslog.conf", Need: 2, Root: true, Allows: "have rsyslog run a program"},
	{Path: "/etc/modules", Need: 2, Root: true, Allows: "have a kernel module loaded"},
	{Path: "/etc/sysctl.conf", Need: 2, Root: true, Allows: "have the kernel run a program as root when one crashes"},
	{Path: "/etc/exports", Need: 2, Root: true, Allows: "have the machine's files given to root of another machine"},
	{Path: "/etc/dbus-1/system.conf", Need: 2, Root: true, Allows: "call every service of root on the bus"},
	{Path: "/etc/dbus-1/system-local.conf", Need: 2, Root: true, Allows: "call every service of root on the bus"},
	{Path: "/etc/network/interfaces", Need: 2, Root: true, Allows: "run a command as root when an interface comes up"},
	{Path: "/etc/ssl/openssl.cnf", Need: 2, Root: true, Allows: "have root's programs load another library"},
	{Path: "/etc/docker/daemon.json", Need: 2, Root: true, Allows: "have docker run a program as root"},
	{Path: "/etc/containerd/config.toml", Need: 2, Root: true, Allows: "have containerd run a program as root"},
	{Path: "/etc/supervisord.conf", Need: 2, Root: true, Allows: "have supervisord run a program as root"},
	{Path: "/etc/yum.conf", Need: 2, Root: true, Allows: "have root install a package of the attacker's"},
	{Path: "/etc/pacman.conf", Need: 2, Root: true, Allows: "have root install a package of the attacker's"},
	{Path: "/etc/rc.local", Need: 2, Root: true, Allows: "run a command as root at the next start of the machine"},
	{Path: "/etc/crypttab", Need: 2, Root: true, Allows: "run a command as root at the next start of the machine"},
	{Path: "/etc/hosts.allow", Need: 2, Root: true, Allows: "have a daemon of root's run a command (hosts_options(5), spawn)"},
	{Path: "/etc/fstab", Need: 2, Root: true, Allows: "mount something over the files of root"},
	{Path: "/etc/doas.conf", Need: 2, Root: true, Allows: "let any account become root"},
	{Path: "/etc/nsswitch.conf", Need: 2, Root: true, Allows: "have every program that root starts load another library"},
	{Path: "/etc/profile", Need: 2, Root: true, Allows: "run a command when root logs in"},
	{Path: "/etc/bash.bashrc", Need: 2, Root: true, Allows: "run a command when root opens a shell"},
	{Path: "/etc/bashrc", Need: 2, Root: true, Allows: "run a command when root opens a shell"},
	{Path: "/etc/bash_completion", Need: 2, Root: true, Allows: "run a command when root opens a shell"},
	{Path: "/etc/zshenv", Need: 2, Root: true, Allows: "run a command when root opens a shell"},
	{Path: "/etc/zshrc", Need: 2, Root: true, Allows: "run a command when root opens a shell"},
	{Path: "/etc/csh.cshrc", Need: 2, Root: true, Allows: "run a command when root opens a shell"},
	{Path: "/etc/csh.login", Need: 2, Root: true, Allows: "run a command when root logs in"},
	{Path: "/etc/gitconfig", Need: 2, Root: true, Allows: "run a command when root uses git"},
	{Path: "/etc/inputrc", Need: 2, Root: true, Allows: "run a command when root uses a shell"},
	{Path: "/etc/nanorc", Need: 2, Root: true, Allows: "run a command when root uses nano"},
	{Path: "/etc/screenrc", Need: 2, Root: true, Allows: "run a command when root uses screen"},
	{Path: "/etc/tmux.conf", Need: 2, Root: true, Allows: "run a command when root uses tmux"},
	{Path: "/etc/vimrc", Need: 2, Root: true, Allows: "run a command when root uses vim"},
	{Path: "/etc/environment", Need: 2, Root: true, Allows: "set what root's programs load"},
	{Path: "/etc/ssh/sshd_config", Need: 2, Root: true, Allows: "let itself log in as root"},
	{Path: "/etc/ssh/ssh_config", Need: 2, Root: true, Allows: "run a command when root uses ssh"},
	{Path: "/root/.ssh/authorized_keys", Need: 2, Root: true, Allows: "log in as root with a key of its own"},
	{Path: "/proc/sys/kernel/core_pattern", Need: 2, Root: true, Allows: "have the kernel run a program as root when one crashes"},
	{Path: "/proc/sys/kernel/modprobe", Need: 2, Root: true, Allows: "have the kernel run a program as root"},
	{Path: "/proc/sys/fs/binfmt_misc/register", Need: 2, Root: true, Allows: "have the kernel run a program when root executes another"},
	{Path: "/sys/kernel/uevent_helper", Need: 2, Root: true, Allows: "have the kernel run a program as root"},
}

// doorFolders are folders whose files root runs or obeys: whoever may put one into them,
// or write one that is there, becomes root. What is to be said of both is Allows.
var doorFolders = []Door{
	{Path: "/etc/cron.d", Allows: "have cron run a command as root"},
	{Path: "/etc/cron.hourly", Allows: "have cron run a command as root"},
	{Path: "/etc/cron.daily", Allows: "have cron run a command as root"},
	{Path: "/etc/cron.weekly", Allows: "have cron run a command as root"},
	{Path: "/etc/cron.monthly", Allows: "have cron run a command as root"},
	{Path: "/var/spool/cron", Allows: "have cron run a command as root"},
	{Path: "/var/spool/cron/crontabs", Allows: "have cron run a command as root"},
	{Path: "/var/spool/cron/atjobs", Allows: "have atd run a command as root"},
	{Path: "/var/spool/at", Allows: "have atd run a command as root"},
	{Path: "/etc/sudoers.d", Allows: "let any account become root"},
	{Path: "/etc/ssh/sshd_config.d", Allows: "let itself log in as root"},
	{Path: "/etc/ssh/ssh_config.d", Allows: "run a command when root uses ssh"},
	{Path: "/etc/alternatives", Allows: pathAllows},
	{Path: "/etc/default", Allows: "set what root's services load"},
	{Path: "/etc/sysconfig", Allows: "set what root's services load"},
	{Path: "/etc/systemd", Allows: "have systemd run a program as root"},
	{Path: "/etc/systemd/system.conf.d", Allows: "set what root's services load"},
	{Path: "/etc/systemd/system.control", Allows: "have systemd start any unit as root"},
	{Path: "/run/systemd/transient", Allows: "have systemd start any unit as root"},
	{Path: "/run/systemd/generator", Allows: "have systemd start any unit as root"},
	{Path: "/run/systemd/generator.early", Allows: "have systemd start any unit as root"},
	{Path: "/run/systemd/generator.late", Allows: "have systemd start any unit as root"},
	{Path: "/etc/systemd/system-generators", Allows: "have systemd run a program as root"},
	{Path: "/run/systemd/system-generators", Allows: "have systemd run a program as root"},
	{Path: "/usr/local/lib/systemd/system-generators", Allows: "have systemd run a program as root"},
	{Path: "/etc/systemd/system-environment-generators", Allows: "have systemd run a program as root"},
	{Path: "/usr/lib/systemd/system-environment-generators", Allows: "have systemd run a program as root"},
	{Path: "/usr/lib/systemd/system-sleep", Allows: "have systemd run a program as root"},
	{Path: "/usr/lib/systemd/system-shutdown", Allows: "have systemd run a program as root"},
	{Path: "/etc/rc.d", Allows: "run a command as root when a service starts"},
	{Path: "/etc/xinetd.d", Allows: "have xinetd run a program as root"},
	{Path: "/etc/supervisor/conf.d", Allows: "have supervisord run a program as root"},
	{Path: "/etc/rsyslog.d", Allows: "have rsyslog run a program"},
	{Path: "/etc/bash_completion.d", Allows: "run a command when root opens a shell"},
	{Path: "/etc/grub.d", Allows: "run a command as root when a kernel is installed"},
	{Path: "/boot", Allows: "choose what the machine boots"},
	{Path: "/boot/grub", Allows: "choose what the machine boots"},
	{Path: "/boot/grub2", Allows: "choose what the machine boots"},
	{Path: "/boot/loader/entries", Allows: "choose what the machine boots"},
	{Path: "/etc/sysctl.d", Allows: "have the kernel run a program as root when one crashes"},
	{Path: "/etc/binfmt.d", Allows: "have the kernel run a program when root executes another"},
	{Path: "/etc/cloud", Allows: "have cloud-init run a command as root"},
	{Path: "/etc/kubernetes/manifests", Allows: "have the kubelet start a container with the machine's / in it"},
	{Path: "/etc/cni/net.d", Allows: "have a container manager run a program as root"},
	{Path: "/var/lib/dpkg/info", Allows: "run a command as root when a package is changed"},
	{Path: "/etc/apt", Allows: "have root install a package of the attacker's"},
	{Path: "/etc/apt/sources.list.d", Allows: "have root install a package of the attacker's"},
	{Path: "/etc/apt/trusted.gpg.d", Allows: "have root install a package of the attacker's"},
	{Path: "/usr/share/keyrings", Allows: "have root install a package of the attacker's"},
	{Path: "/etc/environment.d", Allows: "set what root's programs load"},
	{Path: "/etc/xdg/autostart", Allows: "run a command when root logs in"},
	{Path: "/etc/yum.repos.d", Allows: "have root install a package of the attacker's"},
	{Path: "/root", Allows: "run a command when root logs in"},
	{Path: "/etc/systemd/system", Allows: "have systemd start any unit as root"},
	{Path: "/run/systemd/system", Allows: "have systemd start any unit as root"},
	{Path: "/usr/local/lib/systemd/system", Allows: "have systemd start any unit as root"},
	{Path: "/usr/lib/systemd/system", Allows: "have systemd start any unit as root"},
	{Path: "/lib/systemd/system", Allows: "have systemd start any unit as root"},
	{Path: "/usr/lib/systemd/system-generators", Allows: "have systemd run a program as root"},
	{Path: "/etc/init.d", Allows: "run a command as root when a service starts"},
	{Path: "/etc/profile.d", Allows: "run a command when root logs in"},
	{Path: "/etc/pam.d", Allows: "log in as root"},
	{Path: "/etc/ld.so.conf.d", Allows: "run code in every program that root starts"},
	{Path: "/etc/udev/rules.d", Allows: "have udev run a command as root"},
	{Path: "/run/udev/rules.d", Allows: "have udev run a command as root"},
	{Path: "/usr/lib/udev/rules.d", Allows: "have udev run a command as root"},
	{Path: "/etc/modprobe.d", Allows: "run a command as root when a module is loaded"},
	{Path: "/etc/modules-load.d", Allows: "have a kernel module loaded"},
	{Path: "/etc/tmpfiles.d", Allows: "have systemd-tmpfiles give it files of root"},
	{Path: "/usr/lib/tmpfiles.d", Allows: "have systemd-tmpfiles give it files of root"},
	{Path: "/etc/logrotate.d", Allows: "have logrotate run a command as root"},
	{Path: "/etc/apt/apt.conf.d", Allows: "have apt run a command as root"},
	{Path: "/etc/dbus-1/system.d", Allows: "call every service of root on the bus"},
	{Path: "/usr/share/dbus-1/system.d", Allows: "call every service of root on the bus"},
	{Path: "/usr/share/dbus-1/system-services", Allows: "have the bus start a program as root"},
	{Path: "/etc/polkit-1/rules.d", Allows: "let itself do what polkit decides over"},
	{Path: "/usr/share/polkit-1/rules.d", Allows: "let itself do what polkit decides over"},
	{Path: "/usr/share/polkit-1/actions", Allows: "let itself do what polkit decides over"},
	{Path: "/etc/network/if-up.d", Allows: "run a command as root when an interface comes up"},
	{Path: "/etc/network/if-pre-up.d", Allows: "run a command as root when an interface comes up"},
	{Path: "/etc/network/if-down.d", Allows: "run a command as root when an interface goes down"},
	{Path: "/etc/network/if-post-down.d", Allows: "run a command as root when an interface goes down"},
	{Path: "/etc/network/interfaces.d", Allows: "run a command as root when an interface comes up"},
	{Path: "/etc/networkd-dispatcher", Allows: "run a command as root when an interface comes up"},
	{Path: "/etc/dhcp/dhclient-enter-hooks.d", Allows: "run a command as root when an interface comes up"},
	{Path: "/etc/dhcp/dhclient-exit-hooks.d", Allows: "run a command as root when an interface comes up"},
	{Path: "/etc/ppp/ip-up.d", Allows: "run a command as root when an interface comes up"},
	{Path: "/etc/NetworkManager/dispatcher.d", Allows: "run a command as root when an interface comes up"},
	{Path: "/etc/update-motd.d", Allows: "run a command as root when somebody logs in"},
	{Path: "/root/.ssh", Allows: "log in as root with a key of its own"},
	{Path: "/usr/local/sbin", Allows: pathAllows},
	{Path: "/usr/local/bin", Allows: pathAllows},
	{Path: "/usr/sbin", Allows: pathAllows},
	{Path: "/usr/bin", Allows: pathAllows},
	{Path: "/sbin", Allows: pathAllows},
	{Path: "/bin", Allows: pathAllows},
}

const pathAllows = "change a program that root runs by its name"

const modulesAllows = "change a module that root's programs load"

// wayAllows is of a folder on the way to what root runs.
const wayAllows = "put another file in the place of one that root runs"

// A disk is every file on it: wiki.debian.org/SystemGroups calls the group disk
// mostly equivalent to root. Memory and loop devices have names of their own.
const diskAllows = "read and write every file of a disk, past all permissions"

// isDisk reports whether a name in /dev is that of a disk, a part of one, or a
// volume on some.
func isDisk(name string) bool {
	for _, prefix := range []string{"sd", "hd", "vd", "xvd", "nvme", "mmcblk", "dm-", "md", "pmem", "dasd"} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}

// opens reports whether a thread that is not root and holds nothing may use the
// door, by its mode as inode_permission asks it: the owner, else by the bits of
// the group, else by those of all others. whose names which of them.
func (d Door) opens(t Thread) (whose string, ok bool) {
	switch {
	case t.UIDs.has(d.UID): // who owns a file may change its mode
		return "its user " + id(d.UID), true
	case t.GIDs.has(d.GID) || slices.Contains(t.groups(), d.GID):
		return "its group " + id(d.GID), d.lets(3)
	default:
		return "everybody", d.lets(0)
	}
}

// lets reports whether three bits of the mode, from that one on, have all that it needs.
func (d Door) lets(from uint) bool { return d.Mode>>from&d.Need == d.Need }

// anybody reports whether somebody who is not root and holds nothing may use the door.
func (d Door) anybody() bool {
	return d.UID != 0 || d.lets(0) || d.lets(3) // a process of another user may be in root's group
}

// asks says that who may use the door is not in its mode.
func (d Door) asks() bool { return d.Polkit && d.lets(0) }

func (t Thread) groups() []uint32 {
	all, _ := numbers("Groups", strings.Fields(t.Groups)) // as parseGroups wrote them
	return all
}

func id(n uint32) string { return strconv.FormatUint(uint64(n), 10) }
