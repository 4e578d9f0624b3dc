package facts

import (
	"net/netip"
	"strings"

	"github.com/lowport/lowport/caps"
)

// Facts is all that lowport knows about the machine and this process. Rules, causes and
// remedies are functions of it; only internal/live reads the machine.
//
// Facts come in groups. A launcher that starts a program elsewhere replaces whole groups, so
// it cannot forget a fact that is added later.
type Facts struct {
	Proc     Proc
	Kernel   Kernel
	Launcher Launcher
	File     File
	Net      Net
	Policy   Policy
	Command  Command
	Launch   Launch
}

// A Proc is this process: what it is and holds.
type Proc struct {
	Thread    Fact[caps.State] // the calling thread, with its securebits
	Threads   Fact[map[int]caps.State]
	IDs       Fact[IDs]
	Groups    Fact[[]uint32] // the supplementary ones
	PID       Fact[int]      // as this pid namespace sees it
	Parent    Fact[int]      // 0: a process of another pid namespace
	TracerPid Fact[int]      // 0: not traced
	Seccomp   Fact[int]      // 0 none, 1 strict, 2 filter

	AtInit   Fact[caps.State] // what the first thread held before the program's own code ran: E, P, I and no_new_privs alone
	Secure   Fact[bool]       // AT_SECURE of getauxval(3)
	Dumpable Fact[int]        // PR_GET_DUMPABLE
	Dropped  Fact[caps.Set]   // what package caps/drop found permitted, before it let go of it
	Drops    Fact[caps.Set]   // what a drop took away whether or not it was permitted
}

// A Kernel is the one that runs.
type Kernel struct {
	Release Fact[Release]
	LastCap Fact[caps.Cap]
	NoFile  Fact[bool] // it was booted so that execve ignores file capabilities
	WSL     Fact[bool] // it is that of the Windows Subsystem for Linux
}

// A Launcher is what started this process, and what is around both.
type Launcher struct {
	Init        Fact[caps.State] // process 1 of this pid namespace
	Ancestor    Fact[Ancestor]   // the nearest that is another user
	Parent      Fact[Ancestor]   // the parent
	Line        Fact[[]Forebear] // the parent, its parent and so on up to a shell that asks for commands
	Supervisor  Fact[Supervisor]
	Tracer      Fact[caps.State] // what traces this process
	SharesFS    Fact[bool]       // another process was found that shares its root and working directory (CLONE_FS)
	Operator    Fact[Operator]   // who had this process started; Unreadable where every ancestor is a launcher or hidden
	Tools       Fact[Tools]
	Sandbox     Fact[bool] // process 1 belongs to what started this program, and not to a machine
	Unit        Fact[Unit]
	UnitFilters Fact[[]string]     // those directives that the unit's files set, and Restarts
	LastDropIn  Fact[string]       // the name of the unit's drop-in that systemd reads last, "" if it has none
	Stopped     Fact[[]SocketUnit] // of .socket units that would pass theirs to the unit, once they are started
	UserNamed   Fact[bool]         // $USER is set, as systemd does for a unit with User=
	Container   Fact[string]       // "docker", "podman", "kubernetes", or "container" for another kind
	Authbind    Fact[bool]         // started by authbind(1)
}

// A File is the program's, and where it lies.
type File struct {
	Path      Fact[string] // what /proc/self/exe names, without " (deleted)"
	Deleted   Fact[bool]   // the running file is no longer at Path
	Exe       Image        // the file this process runs
	Installed Image        // the file at Path now: what starting again executes
	Moved     Image        // the file of the same name in MovedDir, and that mount

	Danger             Fact[caps.Danger] // why the file at Path had better not have capabilities
	Owners             Fact[[]uint32]    // the users that own the file at Path or a folder above it
	Fixed              Fact[string]      // those of the attributes a and i that keep the file at Path as it is (chattr(1))
	ChangedSince       Fact[bool]        // the inode of Exe may have changed after this process was forked
	MountPoint         Fact[string]      // of the file system that Exe lies on
	IdmappedThere      Fact[bool]        // the operator's mount, or where it cannot be seen the one here, is idmapped
	PathSeenByOperator Fact[string]      // where the operator has the file of Path, "" for there too; Absent: nowhere that is known
	ReadOnlyThere      Fact[bool]        // it lies on a read-only mount there
}

// A Net is the network namespace, and the user namespaces that decide over it.
type Net struct {
	UIDMap    Fact[string]
	GIDMap    Fact[string]
	UserNS    Fact[string] // "user:[4026531837]"
	NS        Fact[string] // "net:[4026531833]"
	Owner     Fact[Owner]
	Apart     Fact[bool]   // it is not that of process 1: a sysctl set there does not count here
	Name      Fact[string] // its name in /run/netns, by which ip-netns(8) reaches it
	PortStart Fact[int]    // ports below it are privileged in this network namespace

	Sockets   Fact[[]Socket]
	AllBound  Fact[bool] // Sockets has also TCP sockets that are bound and neither listen nor are connected
	Addresses Fact[[]netip.Addr]
	Tentative Fact[[]netip.Addr] // of Addresses, those of IPv6 that are still looked for on the network
	Special   Fact[[]Special]    // those that cannot be bound as they are, or only with a zone
	Ephemeral Fact[[2]int]       // the first and the last port that connections get (ip_local_port_range)
	Reserved  Fact[string]       // ports of these that they do not get (ip_local_reserved_ports)
	Nonlocal  Fact[bool]         // IPv4 may bind addresses that this machine does not have
	Nonlocal6 Fact[bool]         // IPv6 may
	NoLoop6   Fact[bool]         // the loopback interface has no IPv6 (disable_ipv6)
}

// A Policy is what security modules and filters leave to this process.
type Policy struct {
	LSMs      Fact[string] // the security modules, separated by commas
	Label     Fact[string] // what they call this process: /proc/self/attr/current
	Enforcing Fact[bool]   // SELinux is there, and enforces
	Probes    Fact[[]Probe]
	AtPorts   Fact[[]PortProbe] // made only if a probe of TCP is refused
	Withheld  Fact[caps.Set]    // permitted capabilities that a security module does not let the thread use
	Granted   Fact[caps.Set]    // permitted capabilities that the security modules let the thread use
}

// A Command is how this process was called.
type Command struct {
	Args      Fact[[]string]
	Cwd       Fact[string]
	CwdNosuid Fact[bool]
	Package   Fact[string]   // the import path of the main package
	User      Fact[string]   // the name of the effective uid
	Groups    Fact[[]uint32] // those that the user database gives to User
	Loader    Fact[Loader]
}

// InMemory reports whether the program runs from a file of memfd_create(2), which has no mount in
// any mount namespace.
func (f *Facts) InMemory() bool {
	return f.File.MountPoint.State == Absent && f.File.Deleted.Value && strings.HasPrefix(f.File.Path.Value, "/memfd:")
}

// Tools are the programs of printed commands, as this process sees them in the folders that root's
// commands are looked for in.
type Tools struct {
	Sudo    bool // sudo(8) is installed
	Setpriv bool // setpriv(1) is, and is not that of BusyBox, which changes no user
}

// MovedDir is where a program is proposed to move from a nosuid mount.
const MovedDir = "/usr/local/bin"

// A Release is the version of the running kernel, as far as rules changed by it.
type Release struct{ Major, Minor int }

// Before reports whether it is older than major.minor.
func (r Release) Before(major, minor int) bool {
	return r.Major < major || r.Major == major && r.Minor < minor
}

// OverflowID is the uid and gid of who has none in a user namespace: fs.overflowuid and
// fs.overflowgid by default (proc_sys_fs(5)).
const OverflowID = 65534

// IDs are the real and effective ids, as this user namespace sees them.
type IDs struct{ UID, EUID, GID, EGID uint32 }

// An Ancestor is who and what another process of our line is and holds.
type Ancestor struct {
	caps.State
	IDs
	Init bool // process 1
}

// A Forebear is a process of our line.
type Forebear struct {
	PID      int    // as this process sees it
	UID      uint32 // as this user namespace sees it
	Launches bool   `json:",omitempty"` // it only starts another program, and holds no socket
	Leads    bool   `json:",omitempty"` // its parent is process 1, and it leads a session (setsid(2))
	Shown    bool   `json:",omitempty"` // its descriptors can be seen: a socket whose holder is hidden is not its
}

// An Operator is the nearest ancestor that is no launcher of ours: the shell, or the
// manager, in whose place a fix is run.
type Operator struct {
	caps.State
	PID     int    // as this process sees it
	UID     uint32 // as this user namespace sees it
	SameNet bool   // it is in the network namespace of this process
	SamePID bool   // it numbers processes as this process does

	OtherUsers bool // its user namespace is another than that of this process

	SameRoot  bool // it has the files that this process has
	OtherRoot bool // its files are not those of process 1, whose /etc counts when the machine boots
	NoSysctl  bool // it is not known to have a /proc/sys to write to
}

// A Probe is a bind to port 0 of every address, which takes no capability
// (inet_bind does not ask for one): where it is refused, a policy refuses.
type Probe struct {
	Network string // "tcp4", "tcp6", "mptcp4", "mptcp6", "udp4", "udp6"
	Errno   string // "" where it was allowed
	When    When   `json:",omitempty"`
	By      By     `json:",omitempty"`
}

// A PortProbe is a TCP bind to a port at an IPv4 address that no machine has. The kernel asks the
// security modules first, then for the address, and last whether the port is privileged
// (__sys_bind, __inet_bind): so EADDRNOTAVAIL says that they allow the port.
type PortProbe struct {
	Port  int
	Errno string
}

// By says what answered a probe that was refused; "" where that is not known.
type By string

const (
	ByFilter By = "filter" // seccomp, which refuses the call whatever it asks
	ByKernel By = "kernel" // what comes behind it: a security module or a cgroup BPF program
)

// When says whether a policy refused a probe before the kernel looked at the address and the
// port, or once the socket was bound; "" if that is not known.
type When string

const (
	BeforePort When = "before" // seccomp, the security modules, BPF_CGROUP_INET4_BIND
	AfterPort  When = "after"  // BPF_CGROUP_INET4_POST_BIND
)

// Refused reports whether a policy refused the probe: with any errno that does not say
// that there is no such family or that a limit is reached.
func (p Probe) Refused() bool {
	switch p.Errno {
	case "", "EAFNOSUPPORT", "EPROTONOSUPPORT", "EPROTOTYPE", "ENOPROTOOPT", "ESOCKTNOSUPPORT", "EMFILE", "ENFILE", "ENOBUFS", "ENOMEM":
		return false
	}
	return true
}

// An Image is an executable file as execve would see it.
type Image struct {
	Caps   Fact[caps.File] // Absent with Reason EOPNOTSUPP: the filesystem holds none
	Stat   Fact[Stat]
	Nosuid Fact[bool] // on a mount with ST_NOSUID
	Frozen Fact[bool] // on a mount with ST_RDONLY
}

// A Launch is what is not read of a machine but said of a program that does not
// run yet. It is zero for one that runs.
type Launch struct {
	Planned     bool             // the facts are of a program that does not run yet
	Starter     Fact[caps.State] // what the thread that executes the program holds
	Changed     bool             // a wrapper changes the user or the sets that whoever started it gave
	Foreign     bool             // its file was reached by a mount of another mount namespace, which counts as nosuid (mnt_may_suid)
	Script      string           // the script whose interpreter the file is, "" for none
	Interpreter bool             // it runs what it is given: what is granted to the file, all of that has
	Listen      string           // the errno with which a filter refuses listen(2) here, "" for none
	Capset      string           // the same of capset(2)
}

// A Stat is the part of stat(2) that bears on execve and on safety.
type Stat struct {
	Mode     uint32 // st_mode, type bits too
	UID, GID uint32
	Dev, Ino uint64
}

// Setuid reports whether execve of the file takes the file's user.
func (s Stat) Setuid() bool { return s.Mode&0o4000 != 0 }

// Setgid reports whether it takes the file's group, which has to be one that may execute
// it (bprm_fill_uid).
func (s Stat) Setgid() bool { return s.Mode&0o2010 == 0o2010 }

// Setid reports whether it changes ids.
func (s Stat) Setid() bool { return s.Setuid() || s.Setgid() }

// An Owner is where the user namespace that owns the network namespace lies.
type Owner uint8

const (
	OwnerHere    Owner = iota + 1 // it is ours: our capabilities count
	OwnerBelow                    // a descendant of ours: they count there too
	OwnerOutside                  // an ancestor or a stranger: they do not
)

// A Unit is the systemd service that runs this process.
type Unit struct {
	Name string // "app.service"
	User bool   // run by a user's own manager

	Transient bool // made by systemd-run(1), and gone once it has ended
}

// A Socket is one that holds the port, as far as it could be seen.
type Socket struct {
	Network string // "tcp", "tcp6", "udp", "udp6"
	Addr    netip.AddrPort
	Listen  bool // in state LISTEN; for UDP always false
	Bound   bool `json:",omitempty"` // TCP: bound, and neither listens nor is connected
	V6Only  bool // an IPv6 socket that leaves IPv4 alone
	// V6Unknown says that whether it does cannot be told, as /proc/net does not.
	V6Unknown bool `json:",omitempty"`
	UID       uint32
	Inode     uint64
	Cgroup    string // path of its cgroup, "" unknown
	PID       int    // 0 unknown
	Command   string // of PID
	Self      bool   // held by this process, perhaps beside others
	Ends      Ends   `json:",omitzero"`
	FD        int    `json:",omitempty"` // by which this process holds it; 0 where it does not
	// Also are the other processes that hold it, as those that inherited it.
	Also []int `json:",omitempty"`
}

// An Account is a user as the user database has it.
type Account struct {
	Name   string // "" for a number that has none
	UID    uint32
	GID    uint32
	Groups []uint32 // all of them, GID too
}
