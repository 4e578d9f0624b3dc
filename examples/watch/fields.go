package main

import (
	"fmt"
	"strings"
)

// A field is what the program in the kernel copies into each event.
type field struct {
	name string
	from string // the structure that is at hand: "task_struct" of the thread, or the "sock"
	path string // the member
	size uint32 // of the first bytes of the member; 0 for all of it
	may  bool   // there may be none: then it is 0
}

// texts are what is copied of the process's own memory: the strings that execve(2) was given,
// between two members of mm_struct, if they are no longer than room.
var texts = []struct {
	name, from, to string
	room           uint32
}{
	{"args", "mm.arg_start", "mm.arg_end", 1024},
	{"environ", "mm.env_start", "mm.env_end", 4096},
}

// depth is how many user namespaces, from the inside out, and how many pid namespaces, from
// the outside in, are looked at. The kernel nests at most 33.
const depth = 8

// fields lists all fields.
func fields() []field {
	all := []field{
		{name: "comm", from: "task_struct", path: "comm"},
		{name: "started", from: "task_struct", path: "group_leader.start_boottime"},
		{name: "ptrace", from: "task_struct", path: "ptrace"},
		{name: "atomic flags", from: "task_struct", path: "atomic_flags"},
		{name: "seccomp", from: "task_struct", path: "seccomp.mode"},
		{name: "securebits", from: "task_struct", path: "cred.securebits"},
		{name: "dumpable", from: "task_struct", path: "mm.flags", size: 8},
		{name: "auxv", from: "task_struct", path: "mm.saved_auxv", size: 320},
		{name: "uid map", from: "task_struct", path: "cred.user_ns.uid_map.extent"},
		{name: "uid map length", from: "task_struct", path: "cred.user_ns.uid_map.nr_extents"},
		{name: "gid map", from: "task_struct", path: "cred.user_ns.gid_map.extent"},
		{name: "gid map length", from: "task_struct", path: "cred.user_ns.gid_map.nr_extents"},
		{name: "fs users", from: "task_struct", path: "fs.users"},
		{name: "threads", from: "task_struct", path: "signal.nr_threads"},
		{name: "exe ino", from: "task_struct", path: "mm.exe_file.f_inode.i_ino"},
		{name: "exe dev", from: "task_struct", path: "mm.exe_file.f_inode.i_sb.s_dev"},
		{name: "exe sb flags", from: "task_struct", path: "mm.exe_file.f_inode.i_sb.s_flags"},
		{name: "exe mount flags", from: "task_struct", path: "mm.exe_file.f_path.mnt.mnt_flags"},
		{name: "mnt ns", from: "task_struct", path: "nsproxy.mnt_ns.ns.inum"},
		{name: "uts ns", from: "task_struct", path: "nsproxy.uts_ns.ns.inum"},
		{name: "family", from: "sock", path: "__sk_common.skc_family"},
		{name: "v6only", from: "sock", path: "__sk_common.skc_ipv6only"},
		{name: "protocol", from: "sock", path: "sk_protocol"},
		{name: "type", from: "sock", path: "sk_type"},
		{name: "bound port", from: "sock", path: "__sk_common.skc_num"},
		{name: "bound v4", from: "sock", path: "__sk_common.skc_rcv_saddr"},
		{name: "bound v6", from: "sock", path: "__sk_common.skc_v6_rcv_saddr"},
		{name: "net ns", from: "sock", path: "__sk_common.skc_net.net.ns.inum"},
		{name: "port start", from: "sock", path: "__sk_common.skc_net.net.ipv4.sysctl_ip_prot_sock"},
	}
	for _, id := range []string{"uid", "euid", "suid", "fsuid", "gid", "egid", "sgid", "fsgid"} {
		all = append(all, field{name: id, from: "task_struct", path: "cred." + id})
	}
	for _, set := range []string{"inheritable", "permitted", "effective", "bset", "ambient"} {
		all = append(all, field{name: set, from: "task_struct", path: "cred.cap_" + set})
	}
	for _, of := range []struct{ name, from, path string }{
		{"user ns", "task_struct", "cred.user_ns"}, {"owner", "sock", "__sk_common.skc_net.net.user_ns"},
	} {
		all = append(all, field{name: of.name + " level", from: of.from, path: of.path + ".level"})
		for i := range depth {
			path := of.path + strings.Repeat(".parent", i) + ".ns.inum"
			all = append(all, field{name: nth(of.name, i), from: of.from, path: path, may: i > 0})
		}
	}
	for _, of := range []struct{ name, path string }{
		{"pid", "thread_pid"}, {"tgid", "group_leader.thread_pid"},
		{"parent", "real_parent.group_leader.thread_pid"}, {"tracer", "parent.group_leader.thread_pid"},
	} {
		all = append(all, field{name: of.name + " level", from: "task_struct", path: of.path + ".level"})
		for i := range depth {
			path := fmt.Sprintf("%s.numbers[%d]", of.path, i)
			all = append(all,
				field{name: nth(of.name, i), from: "task_struct", path: path + ".nr", may: true},
				field{name: nth(of.name+" ns", i), from: "task_struct", path: path + ".ns.ns.inum", may: true})
		}
	}
	return all
}

// nth names the field of the n-th namespace.
func nth(of string, n int) string { return fmt.Sprintf("%s %d", of, n) }
