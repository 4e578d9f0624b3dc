package audit

import (
	"strings"

	"github.com/lowport/lowport/caps"
)

// An entry is what docs/audit.md says of a finding, and reports where a case has
// nothing of its own to say.
type entry struct {
	severities string
	means      string
	allows     string // what an attacker who has the process can do
	see        string // commands that show it by hand, one a line
	helps      string
}

var catalogue = map[string]entry{
	"root": {
		severities: "critical if other machines can reach one of its sockets, otherwise high",
		means:      "the real, effective, saved or file system uid of a thread is 0, as the reader sees it. Without capabilities it still owns the files of root; with only the saved uid 0 it can become root again",
		allows:     "write the files of root, such as /etc/passwd, and so become root",
		see:        "grep Uid /proc/PID/status",
		helps:      "User= or DynamicUser= in its unit; USER in its Dockerfile, runAsUser in its pod; drop.ToUser in the program, after it has bound",
	},
	"root-capability": {
		severities: "critical if other machines can reach one of its sockets, otherwise high",
		means:      "a thread that is not root holds a capability with which it can gain all others, or read or write what only root may. In a user namespace of its own those count that reach the files of the ids which it maps, if root of the machine is among them. They are: " + amountingList(),
		see:        "grep Cap /proc/PID/status\ngetpcaps PID",
		helps:      "grant only cap_net_bind_service; drop.All or drop.Except in the program; CapabilityBoundingSet= in its unit; cap_drop in its Compose file, capabilities.drop in its pod",
	},
	"other-capability": {
		severities: "medium",
		means:      "a thread holds a capability that is not cap_net_bind_service and does not amount to root",
		see:        "grep Cap /proc/PID/status\ngetpcaps PID",
		helps:      "grant only what it needs; drop.Except in the program; CapabilityBoundingSet= in its unit; cap_drop in its Compose file, capabilities.drop in its pod",
	},
	"threads-differ": {
		severities: "high; medium if only their bounding sets differ",
		means:      "threads share their memory, so an attacker has what any of them has. A program that lowers its privilege in one thread only, as the bare system calls capset(2) and setuid(2) do, has lowered nothing",
		allows:     "use the thread that holds the most",
		see:        "grep -H Cap /proc/PID/task/*/status",
		helps:      "lower them all at once: drop.All, libcap's psx",
	},
	"writable-executable": {
		severities: "where everybody may write, critical if the process is privileged, otherwise high; where only its group or the process itself may, high if it is privileged, otherwise medium",
		means:      "the process's own user, its group or others may write the file or a folder above it, and so decide what runs at the next start. An owner counts even without the permission, which it can give itself; a sticky folder protects what others own in it; a read-only mount protects from the process itself. The folders are those that the process sees; in a mount namespace of its own, others may lead to the file as well",
		allows:     "replace the program, and so hold its privilege from the next start on",
		see:        "namei -l PROGRAM",
		helps:      "install it as root's, where root alone may write; ProtectSystem=strict in its unit",
	},
	"interpreter-capabilities": {
		severities: "critical",
		means:      "the running file is a shell, language runtime, debugger or the like and has file capabilities",
		allows:     "do what any user of the machine can: run any program with these capabilities",
		see:        "getcap PROGRAM",
		helps:      "setcap -r; an ambient capability for the one service, AmbientCapabilities= or setpriv",
	},
	"file-capabilities": {
		severities: "high if one of them amounts to root, otherwise medium",
		means:      "the running file grants more than cap_net_bind_service. What this process gave up, the next one that executes the file holds again",
		see:        "getcap PROGRAM",
		helps:      "setcap cap_net_bind_service=+p, or setcap -r where it needs none",
	},
	"set-id-executable": {
		severities: "medium",
		means:      "the running file is set-user-ID or set-group-ID",
		allows:     "start it again with an environment and descriptors of the attacker's choice",
		see:        "stat PROGRAM",
		helps:      "chmod ug-s; file capabilities instead",
	},
	"way-to-root": {
		severities: "high; medium if it only helps to guess passwords, or to log in elsewhere",
		means:      "its user, one of its groups or the mode for others lets it use a file that amounts to root: the socket of a container or virtual machine manager, a disk, memory, an account file, what cron, systemd, udev or a login of root reads, a folder of root's PATH, a program, library or script that a process of root runs, a library, PAM module or other module that root's programs may load, a private key of root's, a file or folder that its variables name, or a folder above one of these. The files are those that the process sees, by whatever path: in a mount namespace or root folder of its own, also those that amount to root where the processes of root see them. A group that opens none of them is no finding. Who may use a file that has an access control list, or that lets everybody in and may ask polkit, as libvirt's does, is not told",
		see:        "grep Groups /proc/PID/status\nls -l /run/docker.sock /etc/shadow",
		helps:      "where a group lets it in, take it out of that group (SupplementaryGroups= in its unit, gpasswd -d for an account), else chmod the file",
	},
	"open-door": {
		severities: "high; medium if it only helps to guess passwords, or to log in elsewhere",
		means:      "the process has such a file open though it may not open it: the descriptor is from before it gave up its privilege, or from whoever started it",
		allows:     "use the descriptor",
		see:        "ls -l /proc/PID/fd",
		helps:      "close it before the drop, open it close-on-exec (O_CLOEXEC) in what starts the process",
	},
	"shared-terminal": {
		severities: "high where it may type into a terminal of root's; medium where it may only read there, or the other process is of another user",
		means:      "a process of root or of another user has the same terminal, as its controlling one or as its standard input: the shell that the process was started from is one. TIOCSTI types into the controlling terminal if dev.tty.legacy_tiocsti is 1, and on every kernel before 6.2; TIOCLINUX pastes into a virtual console before 6.7; what is written to the other end of a pseudoterminal is typed too. Reading takes a descriptor and a session of its own. Whether the other process reads commands there is not seen; sudo, su, doas and runuser, where they wait for the process, are not counted",
		allows:     "read what is typed there, passwords too",
		see:        "ps -o pid,sid,tty,user -p PID\nls -l /proc/PID/fd\ncat /proc/sys/dev/tty/legacy_tiocsti",
		helps:      "a service manager, which gives it no terminal; a terminal of its own, by sudo with use_pty (usual from sudo 1.9.14 on) or in a root shell by runuser -P; dev.tty.legacy_tiocsti=0, which ends typing and not reading",
	},
	"mapped-ids": {
		severities: "medium",
		means:      "its user namespace maps ids of accounts of the machine that are not its own, and it holds a capability that counts for their files there",
		see:        "cat /proc/PID/uid_map /proc/PID/gid_map\ngrep Cap /proc/PID/status",
		helps:      "map ids from 65536 on, as container managers do; drop.All in the program",
	},
	"replaced-executable": {
		severities: "medium",
		means:      "the file it runs is no longer at its path: it was not restarted after an update, or it hides",
		allows:     "hide: what is checked on disk is not what runs",
		see:        "ls -l /proc/PID/exe",
		helps:      "start it again",
	},
	"may-gain": {
		severities: "medium",
		means:      "a set-user-ID program, or a file with capabilities, gains what is left in the bounding set, since no_new_privs is off. An empty bounding set alone does not keep a program from becoming uid 0. Root that holds all of its bounding set has no such finding",
		allows:     "gain privileges by a flaw in sudo, su, mount or another such program",
		see:        "grep -E 'NoNewPrivs|CapBnd' /proc/PID/status",
		helps:      "NoNewPrivileges=yes in its unit; no-new-privileges for its container, allowPrivilegeEscalation: false in its pod; drop.All in the program; setpriv --no-new-privs",
	},
	"extra-listener": {
		severities: "medium",
		means:      "besides a port below the threshold it listens on TCP ports above it, on every address. Such ports are often for metrics, profiling or administration, and meant for this machine only",
		allows:     "reach it on a port that nobody watches",
		see:        "sudo ss -ltnp",
		helps:      "have it listen there on 127.0.0.1 and [::1] only, or on a Unix socket",
	},
	"could-not-tell": {
		severities: "unknown, which is worse than a note",
		means:      "something that a finding needs could not be read. To read it of other users' processes takes CAP_SYS_PTRACE; a /proc with hidepid= hides more, and a security module may refuse even root",
		allows:     "unknown",
		see:        "grep proc /proc/self/mountinfo",
		helps:      "run the audit as root of the machine, or with cap_sys_ptrace",
	},
	"port-capability": {
		severities: "note",
		means:      "a thread holds cap_net_bind_service, which a server needs only until it has bound",
		allows:     "listen on other low ports",
		see:        "grep Cap /proc/PID/status",
		helps:      "drop.All once it has bound",
	},
	"passed-on": {
		severities: "note",
		means:      "the ambient set is not empty",
		allows:     "pass it on to a shell that it starts",
		see:        "grep CapAmb /proc/PID/status",
		helps:      "drop.All once it has bound",
	},
	"no-seccomp": {
		severities: "note",
		means:      "some thread has no seccomp filter",
		allows:     "try every system call of the kernel",
		see:        "grep Seccomp /proc/PID/status",
		helps:      "SystemCallFilter=@system-service in its unit",
	},
	"user-namespace": {
		severities: "note",
		means:      "its user namespace is a descendant of the reader's. Capabilities held there count there, and for the ids that it maps; they also open more of the kernel's calls to it",
		allows:     "reach parts of the kernel that ask for a capability",
		see:        "lsns -t user -p PID\ncat /proc/PID/uid_map",
		helps:      "nothing; it is no fault",
	},
	"securebits": {
		severities: "note",
		means:      "one of the securebits keep_caps and no_setuid_fixup is set. They are not in /proc, so they are known only of the process that asks",
		allows:     "keep capabilities over a change of the uid that was meant to remove them",
		see:        "setpriv --dump",
		helps:      "drop.All, which does not rely on the uid",
	},
}

// amountingList names the capabilities that amount to root.
func amountingList() string {
	return strings.ReplaceAll(amounting(caps.UpTo(caps.Last)).String(), ",", ", ")
}
