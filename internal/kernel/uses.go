package kernel

import (
	"strings"

	"github.com/lowport/lowport/caps"
)

// uses says what each capability is for: a short form of capabilities(7), of what fails without
// it.
var uses = map[caps.Cap]string{
	caps.CHOWN:              "changing the owner of files",
	caps.DAC_OVERRIDE:       "opening files whatever their mode says",
	caps.DAC_READ_SEARCH:    "reading files and folders whatever their mode says",
	caps.FOWNER:             "changing the mode and times of others' files",
	caps.FSETID:             "keeping set-ID bits when a file changes",
	caps.KILL:               "signalling other users' processes",
	caps.SETGID:             "changing group ids",
	caps.SETUID:             "changing user ids",
	caps.SETPCAP:            "dropping from the bounding set and setting securebits",
	caps.LINUX_IMMUTABLE:    "the immutable and append-only flags of files",
	caps.NET_BIND_SERVICE:   "binding privileged ports",
	caps.NET_BROADCAST:      "hearing the netlink of other network namespaces",
	caps.NET_ADMIN:          "interfaces, routes, firewalls and privileged socket options",
	caps.NET_RAW:            "raw and packet sockets, and transparent proxying",
	caps.IPC_LOCK:           "locking memory",
	caps.IPC_OWNER:          "System V IPC whatever its mode says",
	caps.SYS_MODULE:         "loading kernel modules",
	caps.SYS_RAWIO:          "I/O ports and raw device commands",
	caps.SYS_CHROOT:         "chroot and entering mount namespaces",
	caps.SYS_PTRACE:         "tracing and reading the memory of other processes",
	caps.SYS_PACCT:          "process accounting",
	caps.SYS_ADMIN:          "mounts, namespaces and many administrative calls",
	caps.SYS_BOOT:           "reboot and kexec",
	caps.SYS_NICE:           "raising priorities and real-time scheduling",
	caps.SYS_RESOURCE:       "going beyond resource limits",
	caps.SYS_TIME:           "setting the clock",
	caps.SYS_TTY_CONFIG:     "virtual terminals and vhangup",
	caps.MKNOD:              "making device files",
	caps.LEASE:              "leases on others' files",
	caps.AUDIT_WRITE:        "writing to the audit log",
	caps.AUDIT_CONTROL:      "configuring auditing",
	caps.SETFCAP:            "setting file capabilities",
	caps.MAC_OVERRIDE:       "overriding Smack",
	caps.MAC_ADMIN:          "configuring Smack",
	caps.SYSLOG:             "the kernel's log and its addresses",
	caps.WAKE_ALARM:         "alarms that wake the system",
	caps.BLOCK_SUSPEND:      "keeping the system awake",
	caps.AUDIT_READ:         "reading the audit log",
	caps.PERFMON:            "performance monitoring",
	caps.BPF:                "loading BPF programs and maps",
	caps.CHECKPOINT_RESTORE: "checkpoint and restore of processes",
}

// purpose says what the capabilities of a set are for.
func purpose(set caps.Set) string {
	var all []string
	for c := range set.All() {
		if use, ok := uses[c]; ok {
			all = append(all, c.String()+" is for "+use)
		}
	}
	return strings.Join(all, "; ")
}
