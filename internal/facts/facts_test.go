package facts_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/lowport/lowport/internal/facts"
	"github.com/lowport/lowport/internal/facts/factstest"
)

const status = `Name:	app
Uid:	1000	1001	1000	1000
Gid:	100	101	100	100
TracerPid:	0
CapInh:	0000000000000000
CapPrm:	0000000000000400
CapEff:	0000000000000000
CapBnd:	000001ffffffffff
CapAmb:	0000000000000000
NoNewPrivs:	0
Seccomp:	2
`

const (
	thread  = "7 0000000000000000 0000000000000400 0000000000000000 000001ffffffffff 0000000000000000 false\n"
	stat1   = `{"Mode":33261,"UID":0,"GID":0,"Dev":1,"Ino":2}`
	sock1   = `{"Network":"tcp","Addr":"0.0.0.0:443","Listen":true,"V6Only":false,"UID":0,"Inode":9,"Cgroup":"","PID":0,"Command":"","Self":false}`
	v2xattr = "0000000200040000000000000000000000000000"
)

// One item at a time: what it says, or that it says nothing and why.
func TestFacts(t *testing.T) {
	without := func(line string) string {
		if !strings.Contains(status, line) {
			t.Fatalf("status has no line %q", line)
		}
		return strings.Replace(status, line, "", 1)
	}
	const exe, cgroup, uidmap = "proc/self/exe", "proc/self/cgroup", "proc/self/uid_map"
	const st = "proc/thread-self/status"
	long := strings.Repeat("9", 1<<20)
	for _, tt := range []struct {
		item, data, fact, want string // want is a prefix; of a reason, any part of it
	}{
		{st, status, "Proc.IDs", "known {UID:1000 EUID:1001 GID:100 EGID:101}"},
		{st, status, "Proc.TracerPid", "known 0"},
		{st, status, "Proc.Seccomp", "known 2"},
		{st, "", "Proc.IDs", "unreadable Uid"},
		{st, without("Uid:\t1000\t1001\t1000\t1000\n"), "Proc.IDs", "unreadable Uid"},
		{st, status + "Gid:\t1 1 1 1\n", "Proc.IDs", "unreadable Gid"},
		{st, strings.Replace(status, "\t1001", "\t-1", 1), "Proc.IDs", "unreadable Uid"},
		{st, strings.Replace(status, "\t1001", "\t4294967296", 1), "Proc.IDs", "unreadable Uid"},
		{st, strings.Replace(status, "\t1001", "", 1), "Proc.IDs", "unreadable Uid"},
		{st, status + "TracerPid:\t1\n", "Proc.TracerPid", "unreadable TracerPid"},
		{st, strings.Replace(status, "TracerPid:\t0", "TracerPid:\t-1", 1), "Proc.TracerPid", "unreadable TracerPid"},
		{st, strings.Replace(status, "Seccomp:\t2", "Seccomp:\t7", 1), "Proc.Seccomp", "unreadable Seccomp"},
		{st, strings.TrimSuffix(status, "\n"), "Proc.Seccomp", "unreadable Seccomp"},
		{st, strings.Replace(status, "Seccomp:\t2", "Seccomp:\t"+long, 1), "Proc.Seccomp", "unreadable Seccomp"},

		{"threads", thread, "Proc.Threads", "known map[7:{Inheritable: Permitted:cap_net_bind_service"},
		{"threads", "", "Proc.Threads", "unreadable none"},
		{"threads", thread + thread, "Proc.Threads", "unreadable threads"},
		{"threads", strings.TrimSuffix(thread, "\n"), "Proc.Threads", "unreadable threads"},
		{"threads", strings.Replace(thread, "\n", " more\n", 1), "Proc.Threads", "unreadable threads"},
		{"threads", strings.Replace(thread, "400", "g00", 1), "Proc.Threads", "unreadable threads"},
		{"threads", "-" + thread, "Proc.Threads", "unreadable threads"},
		{"threads", "7 0 400 0 1ff 0 false\n", "Proc.Threads", "unreadable threads"},
		{"threads", "0" + thread[1:], "Proc.Threads", "unreadable threads"},

		{"at init", "0000000000000000 0000000000000400 0000000000000000 1\n", "Proc.AtInit", "known {Inheritable: Permitted:cap_net_bind_service Effective: Bounding: Ambient: NoNewPrivs:true"},
		{"at init", "0000000000000000 0000000000000400 0000000000000000 0\n", "Proc.AtInit", "known {Inheritable: Permitted:cap_net_bind_service Effective: Bounding: Ambient: NoNewPrivs:false"},
		{"at init", "0000000000000000 0000000000000400 0000000000000000 2\n", "Proc.AtInit", "unreadable no_new_privs"},
		{"at init", "0000000000000000 0000000000000400 400 0\n", "Proc.AtInit", "unreadable 16 digits"},
		{"at init", "0000000000000000 0000000000000400 0\n", "Proc.AtInit", "unreadable three sets"},

		{"ancestor status", status, "Launcher.Ancestor", "unreadable PPid"},
		{"ancestor status", without("Gid:\t100\t101\t100\t100\n") + "PPid:\t7\n", "Launcher.Ancestor", "unreadable Gid"},

		{"proc/sys/kernel/cap_last_cap", "40\n", "Kernel.LastCap", "known cap_checkpoint_restore"},
		{"proc/sys/kernel/cap_last_cap", "63\n", "Kernel.LastCap", "known 63"},
		{"proc/sys/kernel/cap_last_cap", "64\n", "Kernel.LastCap", "unreadable 64"},
		{"proc/sys/kernel/cap_last_cap", "-1\n", "Kernel.LastCap", "unreadable -1"},
		{"proc/sys/kernel/cap_last_cap", "", "Kernel.LastCap", "unreadable parsing"},
		{"proc/sys/kernel/cap_last_cap", "4", "Kernel.LastCap", "unreadable cut short"},
		{"proc/1/status", "CapBnd:\t0000000000000000\n", "Launcher.Init", "unreadable CapInh"},

		{exe, "/srv/app", "File.Path", "known /srv/app"},
		{exe, "/srv/app", "File.Deleted", "known false"},
		{exe, "/srv/app (deleted)", "File.Path", "known /srv/app"},
		{exe, "/srv/app (deleted)", "File.Deleted", "known true"},
		{exe, "/srv/\x1b[31m\n\xff'$(id)\n", "File.Path", "known /srv/\x1b[31m\n\xff'$(id)\n"},
		{exe, "", "File.Path", "unreadable absolute path"},
		{exe, "", "File.Deleted", "unreadable absolute path"},
		{exe, "(unreachable)/srv/app", "File.Path", "unreadable (unreachable)/srv/app"},
		{"cwd", "/tmp/a\n", "Command.Cwd", "known /tmp/a\n"},
		{"cwd", "(unreachable)/", "Command.Cwd", "unreadable (unreachable)/"},
		{"mount point", "/mnt/a \n", "File.MountPoint", "known /mnt/a \n"},
		{"mount point", "", "File.MountPoint", "unreadable absolute path"},
		{"path outside", "same\n", "File.PathSeenByOperator", "known "},
		{"path outside", "/srv/a \n", "File.PathSeenByOperator", "known /srv/a \n"},
		{"path outside", "", "File.PathSeenByOperator", "unreadable absolute path"},
		{"network apart", "false\n", "Net.Apart", "known false"},
		{"network apart", "true\n", "Net.Apart", "known true"},
		{"network apart", "", "Net.Apart", "unreadable neither"},
		{"sandbox", "true\n", "Launcher.Sandbox", "known true"},
		{"network namespace name", "/run/netns/a b\n", "Net.Name", "known a b\n"},
		{"network namespace name", "/run/netns/", "Net.Name", "unreadable is not in"},
		{"network namespace name", "/run/netns/a/b", "Net.Name", "unreadable is not in"},

		{"exe xattr", v2xattr + "\n", "File.Exe.Caps", "known cap_net_bind_service=p"},
		{"exe xattr", "010000030004000000000000000000000000000040420f00\n", "File.Exe.Caps", "known cap_net_bind_service=ep"},
		{"exe xattr", "000000010004000000040000\n", "File.Exe.Caps", "known cap_net_bind_service=ip"},
		{"exe xattr", v2xattr[2:] + "\n", "File.Exe.Caps", "unreadable revision"},
		{"exe xattr", v2xattr + "00\n", "File.Exe.Caps", "unreadable 20"},
		{"exe xattr", v2xattr[1:] + "\n", "File.Exe.Caps", "unreadable odd length"},
		{"exe xattr", "zz\n", "File.Exe.Caps", "unreadable invalid byte"},
		{"exe xattr", "\n", "File.Exe.Caps", "unreadable security.capability"},
		{"exe xattr", strings.Replace(v2xattr, "00000002", "00000009", 1), "File.Exe.Caps", "unreadable revision 9"},
		{"exe stat", stat1, "File.Exe.Stat", "known {Mode:33261 UID:0 GID:0 Dev:1 Ino:2}"},
		{"exe stat", "null", "File.Exe.Stat", "unreadable null"},
		{"exe stat", "{}", "File.Exe.Stat", "unreadable mode"},
		{"exe stat", stat1 + stat1, "File.Exe.Stat", "unreadable more than one"},
		{"exe stat", strings.Replace(stat1, "33261", "-1", 1), "File.Exe.Stat", "unreadable Mode"},
		{"exe stat", strings.Replace(stat1, "Ino", "Inode", 1), "File.Exe.Stat", "unreadable Inode"},
		{"exe statfs", "0x1022\n", "File.Exe.Nosuid", "known true"},
		{"exe statfs", "0x1020\n", "File.Exe.Nosuid", "known false"},
		{"exe statfs", "0x\n", "File.Exe.Nosuid", "unreadable 0x"},
		{"exe statfs", "", "File.Exe.Nosuid", "unreadable parsing"},
		{"exe statfs", "0x1" + long, "File.Exe.Nosuid", "unreadable out of range"},

		{uidmap, "         0          0 4294967295\n", "Net.UIDMap", "known 0 0 4294967295"},
		{uidmap, "0 1000 1\n1 100000 65536\n", "Net.UIDMap", "known 0 1000 1, 1 100000 65536"},
		{uidmap, "", "Net.UIDMap", "known "}, // a namespace not mapped yet
		{uidmap, "0 1000\n", "Net.UIDMap", "unreadable 0 1000"},
		{uidmap, "0 1000 1", "Net.UIDMap", "unreadable three numbers"},
		{uidmap, "0 1000 1 1\n", "Net.UIDMap", "unreadable three numbers"},
		{uidmap, "\n", "Net.UIDMap", "unreadable three numbers"},
		{uidmap, "0 1000 -1\n", "Net.UIDMap", "unreadable -1"},
		{uidmap, "0 0 4294967296\n", "Net.UIDMap", "unreadable 4294967296"},

		{"capget", "0000000000000400", "Policy.Withheld", "unreadable not recorded"}, // beside no status
		{"capget", "400\n", "Policy.Withheld", "unreadable 16 digits"},
		{"capget", "", "Policy.Withheld", "unreadable 16 digits"},
		{"capget", "-000000000000400\n", "Policy.Withheld", "unreadable invalid syntax"},
		{"caps/drop", "0000000000000400\n", "Proc.Dropped", "known cap_net_bind_service"},
		{"caps/drop", "0000000000000400\n", "Proc.Drops", "known "},
		{"caps/drop", "0000000000000000 0000000000000400\n", "Proc.Drops", "known cap_net_bind_service"},
		{"caps/drop", "400\n", "Proc.Dropped", "unreadable 16 digits"},
		{"caps/drop", "", "Proc.Drops", "unreadable not one set or two"},

		{"proc/self/ns/net", "net:[4026531833]", "Net.NS", "known net:[4026531833]"},
		{"proc/self/ns/net", "user:[4026531833]", "Net.NS", "unreadable net namespace"},
		{"proc/self/ns/net", "net:[]", "Net.NS", "unreadable net namespace"},
		{"proc/self/ns/net", "net:[1", "Net.NS", "unreadable net namespace"},
		{"proc/sys/net/ipv4/ip_unprivileged_port_start", "0\n", "Net.PortStart", "known 0"},
		{"proc/sys/net/ipv4/ip_unprivileged_port_start", "65536\n", "Net.PortStart", "known 65536"},
		{"proc/sys/net/ipv4/ip_unprivileged_port_start", "65537\n", "Net.PortStart", "unreadable 65537"},
		{"proc/sys/net/ipv4/ip_unprivileged_port_start", "-1\n", "Net.PortStart", "unreadable -1"},
		{"proc/sys/net/ipv4/ip_unprivileged_port_start", "1024 1\n", "Net.PortStart", "unreadable 1024 1"},
		{"proc/sys/net/ipv4/ip_unprivileged_port_start", "", "Net.PortStart", "unreadable parsing"},
		{"proc/sys/net/ipv4/ip_unprivileged_port_start", "102", "Net.PortStart", "unreadable cut short"},
		{"proc/sys/net/ipv4/ip_local_port_range", "32768\t60999\n", "Net.Ephemeral", "known [32768 60999]"},
		{"proc/sys/net/ipv4/ip_local_port_range", "0\t60999\n", "Net.Ephemeral", "unreadable two ports"},
		{"proc/sys/net/ipv4/ip_local_port_range", "32768\t70000\n", "Net.Ephemeral", "unreadable two ports"},
		{"proc/sys/net/ipv4/ip_local_port_range", "32768 60999\n", "Net.Ephemeral", "unreadable two ports"},
		{"proc/sys/net/ipv4/ip_local_port_range", "32768\t60999", "Net.Ephemeral", "unreadable two ports"},
		{"proc/sys/net/ipv4/ip_local_reserved_ports", "\n", "Net.Reserved", "known "},
		{"proc/sys/net/ipv4/ip_local_reserved_ports", "8080,9148-9150\n", "Net.Reserved", "known 8080,9148-9150"},
		{"proc/sys/net/ipv4/ip_local_reserved_ports", "9148-\n", "Net.Reserved", "unreadable list of ports"},
		{"proc/sys/net/ipv4/ip_local_reserved_ports", "70000\n", "Net.Reserved", "unreadable list of ports"},
		{"proc/sys/net/ipv4/ip_local_reserved_ports", "8080", "Net.Reserved", "unreadable list of ports"},
		{"proc/sys/net/ipv4/ip_nonlocal_bind", "1\n", "Net.Nonlocal", "known true"},
		{"proc/sys/net/ipv4/ip_nonlocal_bind", "yes\n", "Net.Nonlocal", "unreadable yes"},

		{"args", "app\x00-x\xff\n\x00\x00", "Command.Args", "known [app -x\xff\n ]"},
		{"args", "app", "Command.Args", "unreadable args"},
		{"args", "", "Command.Args", "unreadable args"},
		{"user", "app\n", "Command.User", "known app"},
		{"user", "\n", "Command.User", "unreadable empty"},

		{"sockets", "[]\n", "Net.Sockets", "known []"},
		{"sockets", "[" + sock1 + "]", "Net.Sockets", "known [{Network:tcp Addr:0.0.0.0:443 Listen:true"},
		{"sockets", "null\n", "Net.Sockets", "unreadable null"},
		{"sockets", "[{}]\n", "Net.Sockets", "unreadable a socket"},
		{"sockets", "[" + sock1, "Net.Sockets", "unreadable EOF"},
		{"sockets", "[" + strings.Replace(sock1, ":443", ":65536", 1) + "]", "Net.Sockets", "unreadable 65536"},
		{"addresses", `["127.0.0.1","::1"]`, "Net.Addresses", "known [127.0.0.1 ::1]"},
		{"addresses", `[""]`, "Net.Addresses", "unreadable empty address"},
		{"addresses", `["1.2.3"]`, "Net.Addresses", "unreadable 1.2.3"},
	} {
		got := factstest.Words(facts.Record{tt.item: {Data: []byte(tt.data)}}.Facts())[tt.fact]
		if state, part, _ := strings.Cut(tt.want, " "); state == "known" && !strings.HasPrefix(got, tt.want) ||
			!strings.HasPrefix(got, state) || !strings.Contains(got, part) {
			t.Errorf("%s: %.80q: %s is %.200q, want %q", tt.item, tt.data, tt.fact, got, tt.want)
		}
	}
}

// A reading that failed: hidden, forbidden, or for certain not there.
func TestFactsOfErrors(t *testing.T) {
	for _, tt := range []struct{ item, reason, fact, want string }{
		{"exe xattr", "ENODATA", "File.Exe.Caps", "absent ENODATA"},
		{"exe xattr", "EOPNOTSUPP", "File.Exe.Caps", "absent EOPNOTSUPP"},
		{"exe xattr", "EACCES", "File.Exe.Caps", "unreadable EACCES"},
		{"path stat", "ENOENT", "File.Installed.Stat", "absent ENOENT"},
		{"proc/1/status", "ENOENT", "Launcher.Init", "unreadable ENOENT"},
		{"proc/sys/net/ipv4/ip_unprivileged_port_start", "ENOENT", "Net.PortStart", "unreadable ENOENT"},
		{"threads", "ENOENT", "Proc.Threads", "unreadable ENOENT"},
		{"network apart", "ENOENT", "Net.Apart", "unreadable ENOENT"},
		{"network namespace name", "ENOENT", "Net.Name", "absent ENOENT"},
		{"path outside", "ENOENT", "File.PathSeenByOperator", "unreadable ENOENT"},
		{"path outside", "ENODATA", "File.PathSeenByOperator", "absent ENODATA"},
		{"ioctl NS_GET_USERNS", "ENOTTY", "Net.Owner", "unreadable ENOTTY"},
		{"ioctl NS_GET_USERNS", "EPERM", "Net.Owner", fmt.Sprintf("known %d", facts.OwnerOutside)},
		{"ioctl NS_GET_USERNS", "no answer: open: EPERM", "Net.Owner", "unreadable no answer: open: EPERM"},
	} {
		if got := factstest.Words(facts.Record{tt.item: {Err: tt.reason}}.Facts())[tt.fact]; got != tt.want {
			t.Errorf("%s: %s: %s is %q, want %q", tt.item, tt.reason, tt.fact, got, tt.want)
		}
	}
}

// Nothing recorded is nothing known, and each fact says so.
func TestFactsOfNothing(t *testing.T) {
	for name, got := range factstest.Words(facts.Record{}.Facts()) {
		if state, reason, _ := strings.Cut(got, " "); state != "unreadable" || reason == "" {
			t.Errorf("%s is %q", name, got)
		}
	}
}

// An item that is nonsense leaves every fact it bears on unreadable, with a
// reason, and the reason can be shown: whatever the item, whatever the nonsense.
func TestFactsOfNonsense(t *testing.T) {
	anyText := map[string]bool{"Command.Package": true, "Command.User": true, "Policy.LSMs": true, "Policy.Label": true}
	for _, nonsense := range []string{"\x00x", "\xff\xfe\n", "-1\n", "{\n", "nonsense\n", "\x1b[2J\n", strings.Repeat("a:", 1<<16), "1e3\n", "٣\n", "0 0\n"} {
		r := facts.Record{}
		for _, name := range facts.Items {
			if name != "environ" {
				r[name] = facts.Item{Data: []byte(nonsense)}
			}
		}
		for name, got := range factstest.Words(r.Facts()) {
			state, reason, _ := strings.Cut(got, " ")
			if !anyText[name] && (state != "unreadable" || reason == "") {
				t.Errorf("%.20q: %s is %.100q", nonsense, name, got)
			}
		}
	}
}

func TestNetOwner(t *testing.T) {
	const ours, other = "user:[4026531837]", "user:[4026532000]"
	for _, tt := range []struct {
		owner, self facts.Item
		want        string
	}{
		{facts.Item{Data: []byte(ours + "\n")}, facts.Item{Data: []byte(ours)}, fmt.Sprintf("known %d", facts.OwnerHere)},
		{facts.Item{Data: []byte(other + "\n")}, facts.Item{Data: []byte(ours)}, fmt.Sprintf("known %d", facts.OwnerBelow)},
		{facts.Item{Data: []byte("nonsense\n")}, facts.Item{Data: []byte(ours)}, "unreadable"},
		{facts.Item{Data: []byte(other + "\n")}, facts.Item{Data: []byte("nonsense")}, "unreadable"},
		{facts.Item{Data: []byte(other + "\n")}, facts.Item{Err: "EACCES"}, "unreadable"},
	} {
		r := facts.Record{"ioctl NS_GET_USERNS": tt.owner, "proc/self/ns/user": tt.self}
		if got := factstest.Words(r.Facts())["Net.Owner"]; !strings.HasPrefix(got, tt.want) {
			t.Errorf("owner %q, self %q: %q, want %q", tt.owner, tt.self, got, tt.want)
		}
	}
}

// Securebits are no line of status: without them the state is not known.
func TestThreadNeedsSecurebits(t *testing.T) {
	r := facts.Record{"proc/thread-self/status": {Data: []byte(status)}, "prctl PR_GET_SECUREBITS": {Data: []byte("1\n")}}
	if got := factstest.Words(r.Facts())["Proc.Thread"]; !strings.HasPrefix(got, "known") || !strings.Contains(got, "Securebits:noroot") {
		t.Errorf("Thread is %q", got)
	}
	for _, item := range []facts.Item{{Err: "EPERM"}, {Data: []byte("x\n")}} {
		r["prctl PR_GET_SECUREBITS"] = item
		if got := factstest.Words(r.Facts())["Proc.Thread"]; !strings.HasPrefix(got, "unreadable") {
			t.Errorf("securebits %q: Thread is %q", item, got)
		}
	}
}

// Process 1 is the one that has no parent here (proc_pid_status(5), PPid 0).
func TestAncestorInit(t *testing.T) {
	for ppid, want := range map[string]bool{"0": true, "1": false, "7": false} {
		r := facts.Record{"ancestor status": {Data: []byte(status + "PPid:\t" + ppid + "\n")}}
		if a, ok := r.Facts().Launcher.Ancestor.Is(); !ok || a.Init != want || a.UID != 1000 {
			t.Errorf("PPid %s: %+v %v", ppid, a, ok)
		}
	}
}

// Where /proc is hidden or not mounted, system calls and the auxiliary vector say what they can;
// where it is there, it is believed alone.
func TestFactsWithoutProc(t *testing.T) {
	const byCalls = "status by calls"
	with := func(changes facts.Record) map[string]string {
		r := facts.Record{
			"proc/thread-self/status": {Data: []byte(status)}, "proc/self/exe": {Data: []byte("/srv/app")},
			byCalls: {Data: []byte(strings.Replace(status, "1001", "1002", 1))}, "AT_EXECFN": {Data: []byte("/srv/link")},
		}
		for name, item := range changes {
			r[name] = item
		}
		return factstest.Words(r.Facts())
	}
	hidden := facts.Item{Err: "ENOENT"}
	for _, tt := range []struct {
		name       string
		changes    facts.Record
		fact, want string
	}{
		{"status from /proc", nil, "Proc.IDs", "known {UID:1000 EUID:1001"},
		{"status from calls", facts.Record{"proc/thread-self/status": hidden}, "Proc.IDs", "known {UID:1000 EUID:1002"},
		{"no status", facts.Record{"proc/thread-self/status": hidden, byCalls: {}}, "Proc.IDs", "unreadable ENOENT"},
		{"path from /proc", nil, "File.Path", "known /srv/app"},
		{"path as it was executed", facts.Record{"proc/self/exe": hidden}, "File.Path", "known /srv/link"},
		{"no path", facts.Record{"proc/self/exe": hidden, "AT_EXECFN": {}}, "File.Path", "unreadable ENOENT"},
	} {
		if got := with(tt.changes)[tt.fact]; !strings.HasPrefix(got, tt.want) {
			t.Errorf("%s: %s is %q, want %q", tt.name, tt.fact, got, tt.want)
		}
	}
}

// Sockets that are bound and neither listen nor are connected are listed by sock_diag since
// Linux 6.8 (inet_diag, TCPF_BOUND_INACTIVE), and by no other way.
func TestAllBound(t *testing.T) {
	for _, tt := range []struct{ from, uname, want string }{
		{"sock_diag\n", "6.8.0-31-generic\n", "known true"},
		{"sock_diag\n", "7.0.1\n", "known true"},
		{"sock_diag\n", "6.7.12\n", "known false"},
		{"sock_diag\n", "5.15.0\n", "known false"},
		{"/proc/net\n", "6.8.0\n", "known false"},
		{"sock_diag\n", "x\n", "unreadable"},
		{"", "6.8.0\n", "unreadable"},
	} {
		r := facts.Record{"sockets": {Data: []byte("[]")}, "sockets from": {Data: []byte(tt.from)}, "uname": {Data: []byte(tt.uname)}}
		if tt.from == "" {
			r["sockets from"] = facts.Item{Err: "EPERM"}
		}
		f := r.Facts()
		if got := factstest.Words(f)["Net.AllBound"]; !strings.HasPrefix(got, tt.want) {
			t.Errorf("%q on %q: %q, want %q", tt.from, tt.uname, got, tt.want)
		}
		if from := strings.TrimSpace(tt.from); from != "" && f.Net.Sockets.Source != from {
			t.Errorf("sockets from %q: source %q", from, f.Net.Sockets.Source)
		}
	}
}

// TestSupervisorOf takes command lines as ps(1) shows them.
func TestSupervisorOf(t *testing.T) {
	for _, tt := range []struct {
		args          []string
		kind, service string
	}{
		{nil, "", ""},
		{[]string{"runsv", "app"}, "runit", "app"},
		{[]string{"/usr/bin/runsv"}, "", ""},
		{[]string{"s6-supervise", "app"}, "s6", "app"},
		{[]string{"s6-supervise"}, "", ""},
		{[]string{"/usr/bin/supervisord", "-n"}, "supervisord", ""},
		{[]string{"/usr/bin/python3", "/usr/bin/supervisord", "-c", "/etc/supervisord.conf"}, "supervisord", ""},
		{[]string{"python3", "manage.py"}, "", ""},
		{[]string{"python3"}, "", ""},
		{[]string{"vi", "supervisord"}, "", ""},
		{[]string{"PM2 v5.3.0: God Daemon (/root/.pm2)"}, "pm2", ""},
		{[]string{"PM2 v5.3.0"}, "", ""},
		{[]string{"bash", "runsv", "app"}, "", ""},
	} {
		if kind, service := facts.SupervisorOf(tt.args); kind != tt.kind || service != tt.service {
			t.Errorf("%q: %q %q, want %q %q", tt.args, kind, service, tt.kind, tt.service)
		}
	}
}
