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
		severities: "critical where other machines reach a socket of it, else high",
		means:      "the real, effective, saved or file system uid of a thread is 0 for the reader. Without capabilities it still owns the files of root; with 0 as the saved uid alone it may become root again",
		allows:     "write the files of root, such as /etc/passwd, and so be root",
		see:        "grep Uid /proc/PID/status",
		helps:      "User= or DynamicUser= in its unit; USER in its Dockerfile, runAsUser in its pod; drop.ToUser in the program, after it has bound",
	},
	"root-capability": {
		severities: "critical where other machines reach a socket of it, else high",
		means:      "a thread that is not root holds a capability with which it can come by all others, or read or write what only root may: " + amountingList(),
		see:        "grep Cap /proc/PID/status\ngetpcaps PID",
		helps:      "grant cap_net_bind_service alone; drop.All or drop.Except in the program; CapabilityBoundingSet= in its unit; cap_drop, or capabilities.drop in its pod",
	},
	"other-capability": {
		severities: "medium",
		means:      "a thread holds a capability that is not cap_net_bind_service and does not amount to root",
		see:        "grep Cap /proc/PID/status\ngetpcaps PID",
		helps:      "grant what it needs alone; drop.Except in the program; CapabilityBoundingSet= in its unit; cap_drop, or capabilities.drop in its pod",
	},
	"threads-differ": {
		severities: "high; medium where their bounding sets alone differ",
		means:      "threads share their memory, so that an attacker has what any of them has. A program that lowers its privilege in one thread, as by capset(2) or setuid(2) without its library, has lowered nothing",
		allows:     "use the thread that holds the most",
		see:        "grep -H Cap /proc/PID/task/*/status",
		helps:      "lower them all at once: drop.All, libcap's psx",
	},
	"writable-executable": {
		severities: "critical where everybody may write and the process is privileged; high where its group or it itself may, or everybody and it is not; else medium",
		means:      "the process's own user, its group or others may write the file or a folder above it, and so decide what runs at the next start. The owner counts even without the permission, which it can give itself; a sticky folder protects what others own; a read-only mount protects from the process. The folders are those that the process sees, which in a mount namespace of its own are not all that lead to the file",
		allows:     "change the program, and with it what holds the privilege from the next start on",
		see:        "namei -l PROGRAM",
		helps:      "install it as root's, where root alone may write; ProtectSystem=strict in its unit",
	},
	"interpreter-capabilities": {
		severities: "critical",
		means:      "the running file is a shell, language runtime, debugger or the like and has file capabilities",
		allows:     "nothing more than any user of the machine, who can run any program with them",
		see:        "getcap PROGRAM",
		helps:      "setcap -r; an ambient capability for the one service, AmbientCapabilities= or setpriv",
	},
	"file-capabilities": {
		severities: "high where one amounts to root, else medium",
		means:      "the running file grants more than cap_net_bind_service. What the process gave up, the next one that executes the file holds again",
		see:        "getcap PROGRAM",
		helps:      "setcap cap_net_bind_service=+p, or setcap -r where it needs none",
	},
	"set-id-executable": {
		severities: "medium",
		means:      "the running file is set-user-ID or set-group-ID",
		allows:     "start it anew with an environment and descriptors of its own choice",
		see:        "stat PROGRAM",
		helps:      "chmod ug-s; file capabilities instead",
	},
	"way-to-root": {
		severities: "high; medium where it is for guessing passwords",
		means:      "by its user, a group or the mode for everybody it may use a file that amounts to root: the socket of a container or virtual machine manager, a disk, memory, or an account file. The files are looked at as the process sees them, so that a group without such a file is none. Where one has an access control list, or lets everybody in and may ask polkit as libvirt does, it is not told who may use it",
		see:        "grep Groups /proc/PID/status\nls -l /run/docker.sock /etc/shadow",
		helps:      "take it out of the group: SupplementaryGroups= in its unit, gpasswd -d for an account; chmod the file",
	},
	"replaced-executable": {
		severities: "medium",
		means:      "the file it runs is no longer at its path: an update that it was not restarted after, or a program that hides",
		allows:     "nothing more; but what is checked on disk is not what runs",
		see:        "ls -l /proc/PID/exe",
		helps:      "start it again",
	},
	"may-gain": {
		severities: "medium",
		means:      "no_new_privs is off: a set-user-ID program, or a file with capabilities, gains what the bounding set has left. An empty bounding set alone keeps nobody from becoming uid 0. Of root that holds all of the bounding set it is not said",
		allows:     "become more by any flaw of sudo, su, mount or another such program",
		see:        "grep -E 'NoNewPrivs|CapBnd' /proc/PID/status",
		helps:      "NoNewPrivileges=yes in its unit; no-new-privileges for its container, allowPrivilegeEscalation: false in its pod; drop.All in the program; setpriv --no-new-privs",
	},
	"extra-listener": {
		severities: "medium",
		means:      "beside a port below the threshold it listens, on every address, on TCP ports above it. They often are for metrics, profiles or administration and were meant for this machine alone",
		allows:     "get at it through a door that nobody watches",
		see:        "ss -lntp",
		helps:      "let it listen on 127.0.0.1 and [::1] there, or on a Unix socket",
	},
	"could-not-tell": {
		severities: "unknown, which is above a note",
		means:      "what a finding needs could not be read. Of other users' processes that takes CAP_SYS_PTRACE; a /proc with hidepid= hides more, and a security module may forbid it to root",
		allows:     "unknown",
		see:        "grep proc /proc/self/mountinfo",
		helps:      "run the audit as root of the machine, or with cap_sys_ptrace",
	},
	"port-capability": {
		severities: "note",
		means:      "a thread holds cap_net_bind_service, which a server needs only until it has bound",
		allows:     "listen on further low ports",
		see:        "grep Cap /proc/PID/status",
		helps:      "drop.All once it has bound",
	},
	"passed-on": {
		severities: "note",
		means:      "the ambient set is not empty",
		allows:     "give it to a shell that it starts",
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
		means:      "its user namespace is a descendant of the reader's. Capabilities held there count there alone and are no findings, but the kernel is open to more of its calls",
		allows:     "reach parts of the kernel that ask for a capability",
		see:        "lsns -t user -p PID\ncat /proc/PID/uid_map",
		helps:      "it is no fault",
	},
	"securebits": {
		severities: "note",
		means:      "keep_caps or no_setuid_fixup is set. /proc does not have it, so that it is known of the asking process alone",
		allows:     "keep capabilities where a change of the uid was meant to take them",
		see:        "setpriv --dump",
		helps:      "drop.All, which is not by uid",
	},
}

// amountingList names the capabilities that amount to root.
func amountingList() string {
	return strings.ReplaceAll(amounting(caps.UpTo(caps.Last)).String(), ",", ", ")
}
