package explain

// An entry says what a cause is, in words that hold wherever it occurs.
type entry struct {
	summary, detail string
	unhelpful       []string
}

// catalogue has the text of every cause. In it {cap}, {exe}, {unit}, {port},
// {start} and {addr} stand for those of the case at hand.
var catalogue = map[string]entry{
	"no-capability": {
		summary: "{cap} was never granted",
		detail:  "nobody granted it: no set of this process has it, and {exe} has no file capabilities (a rebuild, a copy and a chown each remove them)",
	},
	"bounding-only": {
		summary:   "{cap} is in the bounding set only",
		detail:    "the bounding set limits what execve may grant and grants nothing itself; a program that is not root needs the capability from its file or as an ambient one",
		unhelpful: []string{"CapabilityBoundingSet=, and --cap-add of docker or capabilities.add of Kubernetes for a user other than root: they reach the bounding set alone"},
	},
	"bounding-excludes": {
		summary:   "the bounding set lacks {cap}",
		detail:    "execve grants nothing that the bounding set lacks, to any file and any user, root too; whoever started this process has to leave it in",
		unhelpful: []string{"setcap, sudo or being root: the bounding set limits them all"},
	},
	"not-raised": {
		summary: "{cap} is permitted, not effective",
		detail:  "the kernel asks the effective set; the program may raise what is permitted, and has not",
	},
	"inheritable-only": {
		summary: "{cap} is inheritable only",
		detail:  "execve grants an inheritable capability only where the process and the file both have it as inheritable; here one side alone has it",
	},
	"ambient-cleared-by-file": {
		summary: "the file's own capabilities cleared the ambient {cap}",
		detail:  "execve of a file with a security.capability attribute, even an empty one, clears the ambient set, and this file's does not grant the capability",
	},
	"noroot-securebit": {
		summary:   "root has no capabilities here: SECBIT_NOROOT is set",
		detail:    "with that securebit execve gives uid 0 nothing; whoever started this process set it",
		unhelpful: []string{"sudo or being root: the securebit is about root"},
	},
	"no-new-privs": {
		summary:   "no_new_privs voids file capabilities",
		detail:    "under no_new_privs execve grants nothing new, and {cap} is new to this process; systemd sets it for NoNewPrivileges= and several sandboxing lines with User=, Kubernetes for allowPrivilegeEscalation: false",
		unhelpful: []string{"setcap or sudo: no_new_privs voids both"},
	},
	"nosuid-mount": {
		summary:   "file capabilities are ignored on this nosuid mount",
		detail:    "execve takes no capabilities from a file on a mount with nosuid, and says nothing",
		unhelpful: []string{"setcap where the file is now: the mount is the obstacle"},
	},
	"traced-exec": {
		summary: "a tracer voided the file's {cap}",
		detail:  "execve under ptrace by a tracer without CAP_SYS_PTRACE (strace, dlv, gdb) grants nothing new",
	},
	"rootid-mismatch": {
		summary: "the file's {cap} is for another user namespace",
		detail:  "its security.capability attribute is version 3 and names another root user than that of this user namespace",
	},
	"foreign-user-namespace": {
		summary:   "{cap} is held in the wrong user namespace",
		detail:    "the kernel checks the user namespace that owns the network namespace",
		unhelpful: []string{"setcap, or being root inside this namespace"},
	},
	"threshold-raised": {
		summary: "ports below {start} are privileged here",
		detail:  "net.ipv4.ip_unprivileged_port_start is {start} in this network namespace; the kernel's default is 1024",
	},
	"go-run": {
		summary:   "go run made a new file without capabilities",
		detail:    "go run and go test build a file for one run and delete it; no file capability can stay on it",
		unhelpful: []string{"setcap on the file that go run made: it is gone after the run"},
	},
	"file-replaced": {
		summary: "{exe} was replaced or stamped after this process started",
		detail:  "a process has what its file granted when it was executed; the file there now grants {cap}",
	},
	"threads-differ": {
		summary: "{cap} is not effective on every thread",
		detail:  "capabilities belong to threads; a goroutine can run on any of them, so one thread without it is one too many",
	},
	"address-in-use": {
		summary:   "port {port} is held by {owner}",
		detail:    "a socket that listens there already excludes another one; `ss -ltnp`, run as root, names its process",
		unhelpful: []string{"any capability, or being root: the port is taken"},
	},
	"address-unavailable": {
		summary:   "{addr} is no address of this machine",
		detail:    "bind takes only addresses of an interface that is up; an address that comes later, such as a floating one, needs ip_nonlocal_bind",
		unhelpful: []string{"any capability, or being root: the address is not here"},
	},
	"address-invalid": {
		summary: "{why}",
		detail:  "an address is HOST:PORT, where the port is a number from 1 to 65535 or a name from /etc/services",
	},
	"host-unresolved": {
		summary: "{why}",
		detail:  "the host name has no address now; a service that starts before its resolver sees this too",
	},
	"family-unavailable": {
		summary: "this address family is not available",
		detail:  "the kernel has no such family, or a filter (systemd's RestrictAddressFamilies=) hides it",
	},
	"resource-limit": {
		summary: "a limit on open files or memory is reached",
		detail:  "the socket could not be made; see `ulimit -n` and the limits of the unit or container",
	},
	"bpf-or-policy": {
		summary: "a security policy refused, not the port check",
		detail:  "the kernel's own port check answers EACCES, never EPERM: a cgroup BPF program, a seccomp filter or a security module refused",
	},
	"landlock": {
		summary:   "a Landlock domain refuses TCP binds",
		detail:    "TCP binds are refused that take no privilege, and UDP ones are not, as Landlock does; whoever confined this process has to allow the port",
		unhelpful: []string{"any capability, or being root: Landlock asks for neither"},
	},
	"selinux": {
		summary:   "SELinux probably refused",
		detail:    "the capability state allows this bind and SELinux enforces; `ausearch -m avc -ts recent` shows the refusal, and `semanage port -a -t http_port_t -p tcp {port}` allows the port to web servers",
		unhelpful: []string{"any capability, or being root: the policy is about the domain"},
	},
	"apparmor": {
		summary:   "an AppArmor profile probably refused",
		detail:    "the capability state allows this bind and a profile is enforced; it needs `capability net_bind_service,` and `network inet stream,`, and the kernel's log names what it denied",
		unhelpful: []string{"any capability, or being root: the profile limits both"},
	},
	"seccomp": {
		summary:   "a seccomp filter refuses bind",
		detail:    "every bind is refused, to any port and family, as a filter does, which sees no address; in a unit see SystemCallFilter=, in a container its seccomp profile",
		unhelpful: []string{"any capability, or being root: the filter asks for neither"},
	},
	"authbind-bypassed": {
		summary:   "authbind does not reach a Go program",
		detail:    "authbind replaces bind in the C library, and Go's net package makes the system call itself, with cgo too",
		unhelpful: []string{"files in /etc/authbind, authbind --deep or CGO_ENABLED=1"},
	},
	"lost-on-uid-change": {
		summary: "the ambient {cap} was lost when the user changed",
		detail:  "it is inheritable in an ancestor too, which is another user; su, sudo, runuser and start-stop-daemon change the user id, which clears every set but the inheritable one: change the user first, then grant",
	},
	"file-caps-partial": {
		summary: "the file's capabilities do not include {cap}",
		detail:  "{exe} has file capabilities, and this one is not among them",
	},
	"foreign-mount": {
		summary: "the file's {cap} is ignored: its mount is of another mount namespace",
		detail:  "execve takes no capabilities from a file that was reached through another mount namespace, as by /proc/PID/root or a passed descriptor",
	},
	"xattr-unsupported": {
		summary:   "this file system holds no file capabilities",
		detail:    "{exe} lies on one without security attributes (ramfs, VFAT, some NFS and FUSE)",
		unhelpful: []string{"setcap where the file is now: the file system cannot hold it"},
	},
	"initial-user-namespace": {
		summary:   "{cap} counts in the initial user namespace alone",
		detail:    "the kernel checks it by capable(), which asks the user namespace that the system booted with, and this process is in another",
		unhelpful: []string{"setcap, or being root inside this namespace"},
	},
	"protocol-unavailable": {
		summary: "this protocol is not available",
		detail:  "the kernel was built without it, or a filter hides it",
	},
	"unknown": {
		summary: "the cause could not be told",
		detail:  "the facts that could be read do not explain the refusal; a security policy that leaves no trace here (Landlock, SELinux, AppArmor, BPF) is one that would",
	},
}
