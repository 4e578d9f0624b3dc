package audit

import "github.com/lowport/lowport/caps"

// port is what a server on a low port needs, and nothing more.
const port = caps.Set(1 << caps.NET_BIND_SERVICE)

// powers say what a capability lets an attacker do who has the process, in the
// words of capabilities(7). Those marked amount to root on their own: whoever
// holds them can come by all others, or read or write what only root may.
// (capabilities(7), "Notes to kernel developers", on cap_sys_admin; Brad Spengler,
// "False Boundaries and Arbitrary Code Execution", 2011, on most of the others.)
var powers = map[caps.Cap]struct {
	root   bool
	allows string
}{
	caps.CHOWN:              {true, "make any file its own, /etc/shadow too"},
	caps.DAC_OVERRIDE:       {true, "read and write any file"},
	caps.DAC_READ_SEARCH:    {true, "read any file, and by open_by_handle_at(2) those outside a container"},
	caps.FOWNER:             {true, "change the mode of any file"},
	caps.FSETID:             {false, "keep set-group-ID bits on files that it changes"},
	caps.KILL:               {false, "end any process"},
	caps.SETGID:             {true, "take on any group, shadow and disk too"},
	caps.SETUID:             {true, "become root"},
	caps.SETPCAP:            {false, "pass on what its bounding set has, and lift securebits"},
	caps.LINUX_IMMUTABLE:    {false, "change files that are marked immutable"},
	caps.NET_BIND_SERVICE:   {false, "listen on other low ports"},
	caps.NET_BROADCAST:      {false, "hear what the kernel tells other network namespaces by netlink(7)"},
	caps.NET_ADMIN:          {false, "change addresses, routes and firewall rules, and see other traffic"},
	caps.NET_RAW:            {false, "read the traffic of others on the network and forge packets"},
	caps.IPC_LOCK:           {false, "lock memory until none is left"},
	caps.IPC_OWNER:          {false, "read and write the System V memory of any process"},
	caps.SYS_MODULE:         {true, "load code into the kernel"},
	caps.SYS_RAWIO:          {true, "write to devices and memory below the kernel's permissions"},
	caps.SYS_CHROOT:         {true, "give a set-user-ID program a root folder with libraries of its own"},
	caps.SYS_PTRACE:         {true, "take over any process, root's too"},
	caps.SYS_PACCT:          {false, "switch process accounting on or off"},
	caps.SYS_ADMIN:          {true, "mount file systems and most else that root may"},
	caps.SYS_BOOT:           {true, "reboot, or boot a kernel of its own by kexec_load(2)"},
	caps.SYS_NICE:           {false, "starve other processes"},
	caps.SYS_RESOURCE:       {false, "use up disks, processes and memory beyond its limits"},
	caps.SYS_TIME:           {false, "set the clock, and with it the life of certificates"},
	caps.SYS_TTY_CONFIG:     {false, "take over terminals by vhangup(2)"},
	caps.MKNOD:              {true, "make a device file for a disk and read and write it"},
	caps.LEASE:              {false, "hold up whoever opens a file"},
	caps.AUDIT_WRITE:        {false, "write false records to the audit log"},
	caps.AUDIT_CONTROL:      {false, "switch the audit log off"},
	caps.SETFCAP:            {true, "give a file of its own any capability"},
	caps.MAC_OVERRIDE:       {false, "bypass Smack's rules"},
	caps.MAC_ADMIN:          {true, "change the rules of Smack and AppArmor"},
	caps.SYSLOG:             {false, "read kernel addresses, which helps to attack the kernel"},
	caps.WAKE_ALARM:         {false, "wake the machine"},
	caps.BLOCK_SUSPEND:      {false, "keep the machine awake"},
	caps.AUDIT_READ:         {false, "read the audit log"},
	caps.PERFMON:            {false, "watch the memory accesses of the kernel and other processes"},
	caps.BPF:                {false, "load BPF programs into the kernel"},
	caps.CHECKPOINT_RESTORE: {false, "open any file that a process of its user has mapped, and choose process ids"},
}

// amounting is the set of those that amount to root. One without a name is of a
// kernel newer than this list: it is taken for one of them.
func amounting(s caps.Set) caps.Set {
	var root caps.Set
	for c := range s.All() {
		if p, known := powers[c]; p.root || !known {
			root = root.With(c)
		}
	}
	return root
}

// allows says what the first few of a set permit.
func allows(s caps.Set) string {
	text, n := "", 0
	for c := range s.All() {
		p, known := powers[c]
		if !known {
			p.allows = "whatever capability " + c.String() + " is for"
		}
		if n == 4 {
			return text + "; and more"
		}
		if n > 0 {
			text += "; "
		}
		text, n = text+p.allows, n+1
	}
	return text
}
