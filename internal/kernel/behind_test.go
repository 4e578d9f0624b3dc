package kernel

import (
	"net/netip"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/internal/facts"
)

// What stands behind that which refused, or is told by what was not asked.
func TestBehind(t *testing.T) {
	bind := caps.SetOf(caps.NET_BIND_SERVICE)
	stamped := facts.Fact[caps.File]{}.Now(caps.File{Version: 2, Permitted: bind})
	unread := facts.Image{Stat: facts.Fact[facts.Stat]{Reason: "ENOENT"}, Caps: facts.Fact[caps.File]{Reason: "ENOENT"}, Nosuid: facts.Fact[bool]{Reason: "ENOENT"}}
	landlocked := []facts.Probe{{Network: "tcp4", Errno: "EACCES", By: facts.ByKernel}, {Network: "tcp6", Errno: "EACCES", By: facts.ByKernel},
		{Network: "mptcp4"}, {Network: "mptcp6"}, {Network: "udp4"}, {Network: "udp6"}}
	others := func(when facts.When) []facts.Probe { // what Landlock leaves alone is refused too
		all := slices.Clone(landlocked)
		for i, p := range all {
			if p.Errno == "" {
				all[i].Errno, all[i].By, all[i].When = "EPERM", facts.ByKernel, when
			}
		}
		return all
	}
	linkLocal := netip.MustParseAddr("fe80::1%lo")
	held := func(addr string, uid uint32) facts.Fact[[]facts.Socket] {
		return facts.Fact[[]facts.Socket]{}.Now([]facts.Socket{{Network: "tcp6", Addr: netip.MustParseAddrPort(addr), Listen: true, UID: uid, Inode: 7}})
	}
	outside := func(f *facts.Facts) {
		f.Net.Owner, f.Net.UserNS = f.Net.Owner.Now(facts.OwnerOutside), f.Net.UserNS.Now("user:[4026532999]")
		f.Net.UIDMap = f.Net.UIDMap.Now("0 1000 1")
		f.Launcher.Operator = f.Launcher.Operator.Now(facts.Operator{OtherUsers: true, UID: 65534, State: caps.State{Bounding: caps.UpTo(caps.Last)}})
		f.Proc.Thread.Value.Permitted = caps.UpTo(caps.Last)
		f.Proc.Thread.Value.Effective = caps.UpTo(caps.Last)
		f.Proc.Threads = f.Proc.Threads.Now(map[int]caps.State{1: f.Proc.Thread.Value})
	}
	for _, tt := range []struct {
		name string
		goal Goal
		f    func(*facts.Facts)
		want string // the causes, in their order
	}{
		{"no grant outside", Goal{}, outside, "foreign-user-namespace no-capability"},
		{"a grant outside", Goal{}, func(f *facts.Facts) { outside(f); f.File.Installed.Caps = stamped }, "foreign-user-namespace"},
		{"no_new_privs, which stays outside", Goal{}, func(f *facts.Facts) {
			outside(f)
			f.File.Installed.Caps = stamped
			f.Proc.Thread.Value.NoNewPrivs = true
		}, "foreign-user-namespace no-new-privs"},
		{"root outside", Goal{}, func(f *facts.Facts) {
			outside(f)
			f.Proc.IDs.Value = facts.IDs{}
			f.Launcher.Operator.Value.UID, f.Launcher.Operator.Value.Permitted = 0, caps.UpTo(caps.Last)
		}, "foreign-user-namespace"},
		{"root that left, and its bounding set", Goal{}, func(f *facts.Facts) {
			f.Proc.Thread.Value.Bounding &^= bind
			f.Proc.Threads = f.Proc.Threads.Now(map[int]caps.State{1: f.Proc.Thread.Value})
			f.Proc.Dumpable = f.Proc.Dumpable.Now(0)
			f.Proc.AtInit = f.Proc.AtInit.None()
			f.Launcher.Parent = f.Launcher.Parent.Now(facts.Ancestor{})
		}, "let-go bounding-excludes"},
		{"a drop of what the file asked for at once", Goal{}, func(f *facts.Facts) {
			all := caps.UpTo(caps.Last)
			f.Proc.Drops, f.Proc.Dropped = f.Proc.Drops.Now(all), f.Proc.Dropped.Now(bind)
			f.Proc.Thread.Value.Bounding = 0
			f.Proc.Threads = f.Proc.Threads.Now(map[int]caps.State{1: f.Proc.Thread.Value})
			f.Proc.AtInit = f.Proc.AtInit.None()
			f.Proc.Secure = f.Proc.Secure.Now(true)
			f.Proc.Dumpable = f.Proc.Dumpable.Now(0)
			f.File.Exe.Caps = f.File.Exe.Caps.Now(caps.File{Version: 2, Permitted: bind | caps.SetOf(caps.NET_RAW), Effective: true})
		}, "let-go"},
		{"a file that only its path names", Goal{}, func(f *facts.Facts) {
			f.File.Exe, f.File.Installed.Caps = unread, f.File.Installed.Caps.Now(caps.File{Version: 2, Permitted: caps.SetOf(caps.NET_RAW)})
			f.File.ChangedSince = facts.Fact[bool]{Reason: "ENOENT"}
			f.Proc.Secure, f.Proc.Dumpable = f.Proc.Secure.Now(true), f.Proc.Dumpable.Now(0) // it granted something
		}, "file-caps-partial"},
		{"a filter on listen behind Landlock", Goal{MPTCP: true}, func(f *facts.Facts) {
			f.Proc.Seccomp = f.Proc.Seccomp.Now(2)
			f.Proc.Thread.Value.Permitted = bind
			f.Proc.Threads = f.Proc.Threads.Now(map[int]caps.State{1: f.Proc.Thread.Value})
			f.File.Exe.Caps = stamped
			f.Policy.Probes = f.Policy.Probes.Now(landlocked)
		}, "seccomp"},
		{"Landlock, and no MPTCP", Goal{MPTCP: true}, func(f *facts.Facts) {
			f.Policy.Probes = f.Policy.Probes.Now([]facts.Probe{{Network: "tcp4", Errno: "EACCES", By: facts.ByKernel}, {Network: "tcp6", Errno: "EACCES", By: facts.ByKernel},
				{Network: "mptcp4", Errno: "EPROTONOSUPPORT"}, {Network: "mptcp6", Errno: "EPROTONOSUPPORT"}, {Network: "udp4"}, {Network: "udp6"}})
		}, "landlock no-capability"},
		{"a Landlock domain that allows the port", Goal{}, func(f *facts.Facts) {
			f.Policy.Probes = f.Policy.Probes.Now(landlocked)
			f.Policy.AtPorts = f.Policy.AtPorts.Now([]facts.PortProbe{{Port: 443, Errno: "EADDRNOTAVAIL"}})
		}, "no-capability"},
		{"a BPF program behind a Landlock domain that allows the port", Goal{}, func(f *facts.Facts) {
			f.Policy.Probes = f.Policy.Probes.Now(others(facts.AfterPort))
			f.Policy.AtPorts = f.Policy.AtPorts.Now([]facts.PortProbe{{Port: 443, Errno: "EADDRNOTAVAIL"}})
		}, "no-capability bpf-or-policy"},
		{"one that refuses UDP alone there", Goal{}, func(f *facts.Facts) {
			f.Policy.Probes = f.Policy.Probes.Now(others(facts.BeforePort))
			f.Policy.AtPorts = f.Policy.AtPorts.Now([]facts.PortProbe{{Port: 443, Errno: "EADDRNOTAVAIL"}})
		}, "no-capability"},
		{"a Landlock domain that allows another port", Goal{}, func(f *facts.Facts) {
			f.Policy.Probes = f.Policy.Probes.Now(landlocked)
			f.Policy.AtPorts = f.Policy.AtPorts.Now([]facts.PortProbe{{Port: 443, Errno: "EACCES"}, {Port: 80, Errno: "EADDRNOTAVAIL"}})
		}, "landlock no-capability"},
		{"a file that would be refused, on a foreign mount", Goal{}, func(f *facts.Facts) {
			f.File.Exe.Caps = f.File.Exe.Caps.Now(caps.File{Version: 2, Permitted: bind | caps.SetOf(caps.NET_RAW), Effective: true})
			f.File.MountPoint = f.File.MountPoint.None()
			f.Proc.Thread.Value.Bounding = bind
			f.Proc.Threads = f.Proc.Threads.Now(map[int]caps.State{1: f.Proc.Thread.Value})
		}, "foreign-mount exec-refused"},
		{"a port that a socket of the same user may share", Goal{Control: true}, func(f *facts.Facts) {
			f.Net.Sockets = held("[::]:443", f.Proc.IDs.Value.EUID)
		}, "no-capability address-in-use?"},
		{"a port that another user's socket does not share", Goal{Control: true}, func(f *facts.Facts) {
			f.Net.Sockets = held("[::]:443", f.Proc.IDs.Value.EUID+1)
		}, "no-capability address-in-use"},
		{"a link-local address, on whatever interface", Goal{Addr: linkLocal}, func(f *facts.Facts) {
			f.Net.Addresses = f.Net.Addresses.Now([]netip.Addr{linkLocal.WithZone("")})
			f.Net.Sockets = held("[fe80::1]:443", 0)
		}, "no-capability address-in-use?"},
		{"an address that is not here, where ip_nonlocal_bind cannot be read", Goal{Addr: netip.MustParseAddr("2001:db8::1")}, func(f *facts.Facts) {
			f.Net.Nonlocal6 = facts.Fact[bool]{Reason: "ENOENT"}
			f.Net.Addresses, f.Net.Tentative = f.Net.Addresses.Now(nil), f.Net.Tentative.Now(nil)
		}, "no-capability address-unavailable"},
	} {
		f := machines(t)["no-capability"].record.Facts()
		tt.f(&f)
		g := tt.goal
		g.Network, g.Port, g.Raises, g.EUID = "tcp", 443, true, f.Proc.IDs.Value.EUID
		var got []string
		for _, c := range bindRefused(f, g, syscall.EACCES).Causes {
			mark := ""
			if c.ID == "address-in-use" && c.Certainty == "possible" {
				mark = "?"
			}
			got = append(got, c.ID+mark)
		}
		if strings.Join(got, " ") != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

// A filter on capget is one on raising, before anything is raised.
func TestOf(t *testing.T) {
	f := machines(t)["no-capability"].record.Facts()
	f.Policy.Granted = facts.Fact[caps.Set]{Reason: "EPERM"}
	if got := (Goal{Raises: true}).Of(&f); got.Refused.Capset != syscall.EPERM || got.EUID != f.Proc.IDs.Value.EUID {
		t.Errorf("%+v", got)
	}
	tried := Goal{Raises: true, Refused: Refusal{Capset: syscall.EACCES}}
	if got := tried.Of(&f); got.Refused.Capset != syscall.EACCES {
		t.Errorf("what was tried: %+v", got)
	}
	if got := (Goal{}).Of(&f); got.Refused.Capset != 0 {
		t.Errorf("who does not raise: %+v", got)
	}
}
