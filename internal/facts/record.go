package facts

// A Record is the evidence as it was read, before anything is made of it: so a
// machine recorded in production replays anywhere.
type Record map[string]Item

// An Item is one reading: the bytes, or the name of the error.
type Item struct {
	Data []byte
	Err  string // "" for success, else an errno's name ("EPERM") or a sentence
}

// Items lists every item a record can hold, in the order a saved one has them.
var Items = []string{
	"proc/thread-self/status", "status by calls", "prctl PR_GET_SECUREBITS", "prctl PR_GET_DUMPABLE", "AT_SECURE", "at init", "capget", "caps/drop", "threads",
	"proc/sys/kernel/cap_last_cap", "uname", "no_file_caps", "proc/1/status", "ancestor status", "parent status", "ancestors", "supervisor", "tracer status", "folders shared", "operator", "sandbox", "tools",
	"proc/self/exe", "AT_EXECFN", "exe xattr", "exe stat", "exe statfs", "exe changed since",
	"path xattr", "path stat", "path statfs", "path danger", "path owners", "path attributes", "mount point", "path outside", "read-only outside", "idmapped outside",
	"moved stat", "moved statfs",
	"proc/self/uid_map", "proc/self/gid_map", "proc/self/ns/user", "proc/self/ns/net", "proc/self/ns/pid", "proc/self/ns/uts", "ioctl NS_GET_USERNS",
	"network apart", "network namespace name",
	"proc/sys/net/ipv4/ip_unprivileged_port_start",
	"proc/self/cgroup", "run/.containerenv", ".dockerenv", "run/host/container-manager", "run/systemd/system", "run/systemd/transient", "unit of invocation", "socket unit", "unit filters", "last drop-in", "environ",
	"sys/kernel/security/lsm", "proc/self/attr/current", "sys/fs/selinux/enforce", "probes", "probes at ports",
	"args", "cwd", "cwd statfs", "main package", "user", "user groups", "loader",
	"sockets", "sockets from", "addresses", "tentative", "special addresses", "proc/sys/net/ipv4/ip_nonlocal_bind", "proc/sys/net/ipv6/ip_nonlocal_bind",
	"proc/sys/net/ipv6/conf/lo/disable_ipv6", "proc/sys/net/ipv4/ip_local_port_range", "proc/sys/net/ipv4/ip_local_reserved_ports",
}

// HeldItems tell whether capabilities are held by every thread, and count.
var HeldItems = []string{"proc/thread-self/status", "prctl PR_GET_SECUREBITS", "capget", "threads", "proc/self/ns/user", "ioctl NS_GET_USERNS"}

// Lacks reports whether the item is not there.
func (r Record) Lacks(name string) bool { return r[name].Err != "" }
