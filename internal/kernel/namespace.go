package kernel

import (
	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/internal/facts"
)

// Network are the capabilities that the kernel checks in the user namespace
// that owns the network namespace: ns_capable(net->user_ns, …).
var Network = caps.SetOf(caps.NET_BIND_SERVICE, caps.NET_BROADCAST, caps.NET_ADMIN, caps.NET_RAW)

// Initial are the capabilities that the kernel checks in the initial user
// namespace alone, by capable(): user_namespaces(7). Some are checked elsewhere
// for smaller things, which is not what a program has them for: SYS_NICE and
// SYS_RESOURCE for other processes of the same namespace, IPC_LOCK for shared
// memory of others, SYS_BOOT to end a pid namespace of one's own, BPF with a
// token, MAC_ADMIN in an AppArmor namespace.
var Initial = caps.SetOf(caps.SYS_MODULE, caps.SYS_RAWIO, caps.SYS_BOOT, caps.SYS_TIME, caps.SYS_TTY_CONFIG, caps.SYS_PACCT,
	caps.SYS_NICE, caps.SYS_RESOURCE, caps.IPC_LOCK, caps.LEASE, caps.BPF,
	caps.MKNOD, caps.SYSLOG, caps.AUDIT_CONTROL, caps.AUDIT_READ, caps.AUDIT_WRITE, caps.MAC_ADMIN, caps.MAC_OVERRIDE,
	caps.WAKE_ALARM, caps.BLOCK_SUSPEND, caps.LINUX_IMMUTABLE, caps.PERFMON)

// Counts reports whether the set, once held, counts in the user namespace in which the kernel
// checks it.
func Counts(f *facts.Facts, set caps.Set) Answer {
	here := Yes
	if set&Network != 0 {
		here = ask(f.Net.Owner, func(o facts.Owner) bool { return o != facts.OwnerOutside })
		if here == Unknown && InInitial(f) == Yes {
			here = Yes // nothing is outside the initial user namespace
		}
	}
	if set&Initial != 0 {
		here = And(here, InInitial(f))
	}
	return here
}

// InInitial reports whether this is the initial user namespace. If its inode is not known, a
// map that changes an id shows that it is not; one that maps every id to itself shows
// nothing.
func InInitial(f *facts.Facts) Answer {
	if f.Net.UserNS.State == facts.Known {
		return of(f.Net.UserNS.Value == facts.InitialUserNS)
	}
	if m, ok := f.Net.UIDMap.Is(); ok && m != facts.WholeMap {
		return No
	}
	return Unknown
}
