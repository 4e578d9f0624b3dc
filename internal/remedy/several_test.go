package remedy

import (
	"net/netip"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/lowport/lowport/guard/report"
	"github.com/lowport/lowport/internal/diff"
	"github.com/lowport/lowport/internal/facts"
	"github.com/lowport/lowport/internal/kernel"
)

// A fix of several refusals mends all of them, and the threshold is that of the
// lowest port.
func TestFixesOfSeveral(t *testing.T) {
	goals := []kernel.Goal{{Network: "tcp", Port: 443, Inherit: true}, {Network: "tcp", Port: 80, Inherit: true}, {Network: "udp", Port: 443, Inherit: true}}
	fixes := fixesOf(app(), goals...)
	var ids []string
	for _, f := range fixes {
		ids = append(ids, f.ID)
	}
	if !slices.Equal(ids, []string{"setcap", "setpriv", "sysctl"}) {
		t.Fatalf("%q", ids)
	}
	if run := fixes[2].Steps[0].Run; run != "sudo sysctl -w net.ipv4.ip_unprivileged_port_start=80" {
		t.Errorf("%q", run)
	}
}

// Two programs hold two of the ports: both are to stop.
func TestFixesOfSeveralOwners(t *testing.T) {
	f := app(func(f *facts.Facts) {
		f.Net.PortStart = known(0)
		f.Net.Sockets = known([]facts.Socket{
			{Network: "tcp", Addr: netip.MustParseAddrPort("0.0.0.0:80"), Listen: true, PID: 10, UID: 1},
			{Network: "udp", Addr: netip.MustParseAddrPort("0.0.0.0:53"), PID: 11, UID: 1},
		})
	})
	fixes := fixesOf(f, kernel.Goal{Network: "tcp", Port: 80, Inherit: true}, kernel.Goal{Network: "udp", Port: 53, Inherit: true})
	if len(fixes) != 1 || len(fixes[0].Steps) != 2 {
		t.Fatalf("%+v", fixes)
	}
	var lines []string
	for _, s := range fixes[0].Steps {
		lines = append(lines, s.Run)
	}
	slices.Sort(lines)
	if !slices.Equal(lines, []string{"sudo kill 10", "sudo kill 11"}) {
		t.Errorf("%q", lines)
	}
}

// systemd-resolved leaves its port and goes on; of another address, as
// DNSStubListenerExtra= gives it one, that setting says nothing.
func TestResolved(t *testing.T) {
	for _, tt := range []struct {
		addr, lasts string
		steps       []report.Step
	}{
		{"127.0.0.53:53", "until the file is removed", []report.Step{
			{Write: "/etc/systemd/resolved.conf.d/zz-lowport.conf", Content: "[Resolve]\nDNSStubListener=no\n"},
			{Run: "sudo systemctl restart systemd-resolved.service"},
		}},
		{"127.0.0.1:53", "until it is started again", []report.Step{{Run: "sudo systemctl stop systemd-resolved.service"}}},
		{"192.0.2.1:53", "until it is started again", []report.Step{{Run: "sudo systemctl stop systemd-resolved.service"}}},
	} {
		f := app(func(f *facts.Facts) {
			f.Net.PortStart = known(0)
			f.Net.Sockets = known([]facts.Socket{{Network: "udp", Addr: netip.MustParseAddrPort(tt.addr), UID: 33, Cgroup: "/system.slice/systemd-resolved.service"}})
		})
		fixes := fixesOf(f, kernel.Goal{Network: "udp", Port: 53, Inherit: true})
		if len(fixes) == 0 || fixes[0].Lasts != tt.lasts || !slices.Equal(fixes[0].Steps, tt.steps) {
			t.Errorf("%s: %+v", tt.addr, fixes)
		}
	}
}

// A socket on one address leaves the others free. A loopback address takes the place of all only
// beside one that serves others.
func TestOneAddress(t *testing.T) {
	for _, tt := range []struct{ holder, want string }{
		{"192.0.2.1:53", "127.0.0.1:53\n"},
		{"127.0.0.53:53", "192.0.2.1:53\n"},
		{"0.0.0.0:53", ""},
	} {
		f := app(func(f *facts.Facts) {
			f.Net.PortStart = known(0)
			f.Net.Addresses = known([]netip.Addr{netip.MustParseAddr("127.0.0.1"), netip.MustParseAddr("192.0.2.1")})
			f.Net.Sockets = known([]facts.Socket{{Network: "udp", Addr: netip.MustParseAddrPort(tt.holder), PID: 7, UID: 33}})
		})
		got := ""
		for _, fix := range fixesOf(f, kernel.Goal{Network: "udp", Port: 53, Inherit: true}) {
			if fix.ID == "one-address" {
				got = fix.Steps[0].Content
			}
		}
		if got != tt.want {
			t.Errorf("%s: %q", tt.holder, got)
		}
	}
}

// One process with the ports of two goals is ended once.
func TestFixesOfOneOwner(t *testing.T) {
	f := app(func(f *facts.Facts) {
		f.Net.PortStart = known(0)
		f.Net.Sockets = known([]facts.Socket{
			{Network: "tcp", Addr: netip.MustParseAddrPort("0.0.0.0:53"), Listen: true, UID: 1, Inode: 8},
			{Network: "udp", Addr: netip.MustParseAddrPort("0.0.0.0:53"), UID: 1, Inode: 9},
		})
	})
	fixes := fixesOf(f, kernel.Goal{Network: "tcp", Port: 53, Inherit: true}, kernel.Goal{Network: "udp", Port: 53, Inherit: true})
	if len(fixes) != 1 || len(fixes[0].Steps) != 1 || !strings.Contains(fixes[0].Steps[0].Run, "]8]") || !strings.Contains(fixes[0].Steps[0].Run, "]9]") {
		t.Errorf("%+v", fixes)
	}
}

// Three obstacles at three addresses take three changes.
func TestFixesOfThree(t *testing.T) {
	f := app(func(f *facts.Facts) {
		f.Net.Sockets = known([]facts.Socket{{Network: "udp", Addr: netip.MustParseAddrPort("127.0.0.1:53"), PID: 7, UID: 33}})
	})
	fixes := fixesOf(f, kernel.Goal{Network: "tcp", Port: 443}, kernel.Goal{Network: "tcp", Port: 80, Addr: netip.MustParseAddr("198.51.100.9")}, kernel.Goal{Network: "udp", Port: 53})
	if len(fixes) == 0 || fixes[0].ID != "stop-owner+nonlocal-bind+setcap" {
		t.Errorf("%+v", fixes)
	}
}

// A unit gets a socket unit for each: what one lists, a later one does not take back.
func TestSocketUnits(t *testing.T) {
	goals := []kernel.Goal{
		{Network: "tcp", Port: 443, Inherit: true}, {Network: "udp6", Port: 443, Inherit: true}, {Network: "tcp4", Port: 80, Inherit: true},
		{Network: "tcp", Port: 80, Inherit: true, Addr: netip.MustParseAddr("::1"), Takes: true},
	}
	fixes := fixesOf(app(unit), goals...)
	i := slices.IndexFunc(fixes, func(f report.Fix) bool { return f.ID == "systemd-socket" })
	if i < 0 {
		t.Fatalf("%+v", fixes)
	}
	tail := "\nService=app.service\n\n[Install]\nWantedBy=sockets.target\n"
	want := []report.Step{
		{Write: "/etc/systemd/system/app-tcp-443.socket", Content: "[Socket]\nListenStream=443\nBindIPv6Only=both" + tail},
		{Write: "/etc/systemd/system/app-udp6-443.socket", Content: "[Socket]\nListenDatagram=[::]:443\nBindIPv6Only=ipv6-only" + tail},
		{Write: "/etc/systemd/system/app-tcp4-80.socket", Content: "[Socket]\nListenStream=0.0.0.0:80" + tail},
		{Write: "/etc/systemd/system/app-tcp-::1-80.socket", Content: "[Socket]\nListenStream=[::1]:80\nFreeBind=yes" + tail},
		{Run: "sudo systemctl daemon-reload"},
		{Run: "sudo systemctl stop app.service"},
		{Run: "sudo systemctl enable --now app-tcp-443.socket"},
		{Run: "sudo systemctl enable --now app-udp6-443.socket"},
		{Run: "sudo systemctl enable --now app-tcp4-80.socket"},
		{Run: "sudo systemctl enable --now app-tcp-::1-80.socket"},
		{Run: "sudo systemctl restart app.service"},
	}
	if diff := diff.Of(want, fixes[i].Steps); diff != "" {
		t.Error(diff)
	}
}

// A socket unit that is there and would pass what is asked for is started, and none is written.
func TestStoppedSocketUnit(t *testing.T) {
	all := []facts.SocketUnit{
		{Name: "app.socket", Network: "tcp6", Addr: netip.MustParseAddrPort("[::]:443"), Both: true},
		{Name: "app.socket", Network: "tcp4", Addr: netip.MustParseAddrPort("127.0.0.1:80")},
	}
	held := facts.Socket{Network: "tcp6", Addr: netip.MustParseAddrPort("[::]:443"), Cgroup: "/system.slice/app.socket"}
	for _, tt := range []struct {
		goal    kernel.Goal
		sockets []facts.Socket
		starts  bool
	}{
		{kernel.Goal{Network: "tcp", Port: 443, Inherit: true}, nil, true},
		{kernel.Goal{Network: "tcp", Port: 443, Inherit: true}, []facts.Socket{held}, false},
		{kernel.Goal{Network: "tcp", Port: 443}, nil, false},
		{kernel.Goal{Network: "tcp4", Port: 443, Inherit: true}, nil, false},
		{kernel.Goal{Network: "udp", Port: 443, Inherit: true}, nil, false},
		{kernel.Goal{Network: "tcp", Port: 80, Inherit: true}, nil, false},
		{kernel.Goal{Network: "tcp", Port: 80, Inherit: true, Addr: netip.MustParseAddr("127.0.0.1")}, nil, true},
	} {
		f := app(unit)
		f.Launcher.Stopped, f.Net.Sockets = known(all), known(tt.sockets)
		name, ok := stopped(&f, tt.goal)
		if ok != tt.starts || ok && name != "app.socket" {
			t.Errorf("%+v: %q, %v", tt.goal, name, ok)
		}
	}
	f := app(unit)
	f.Launcher.Stopped = known(all)
	fixes := fixesOf(f, kernel.Goal{Network: "tcp", Port: 443, Inherit: true})
	i := slices.IndexFunc(fixes, func(f report.Fix) bool { return f.ID == "systemd-socket" })
	want := []report.Step{{Run: "sudo systemctl stop app.service"}, {Run: "sudo systemctl start app.socket"}, {Run: "sudo systemctl restart app.service"}}
	if i < 0 || !slices.Equal(fixes[i].Steps, want) {
		t.Errorf("%+v", fixes)
	}
}

// What is ended with the holder is said, and systemd is asked in its own words.
func TestStopsUnits(t *testing.T) {
	for _, tt := range []struct {
		s     facts.Socket
		run   string
		costs string
	}{
		{facts.Socket{PID: 1, Also: []int{5}, Cgroup: "/system.slice/web.socket"}, "sudo systemctl stop web.socket $(systemctl show -p Triggers --value web.socket)", ""},
		{facts.Socket{Cgroup: "/system.slice/ssh.service"}, "sudo systemctl stop ssh.service", "nobody can log in by ssh then"},
		{facts.Socket{PID: 12, UID: 3, Command: "sshd"}, "sudo kill 12", "nobody can log in by ssh then"},
		{facts.Socket{UID: 1000, Cgroup: "/user.slice/user-1000.slice/user@1000.service/app.slice/web.socket"},
			"systemctl --user stop web.socket $(systemctl --user show -p Triggers --value web.socket)", ""},
		{facts.Socket{Inode: 9}, `sudo sh -c 'p=$(find /proc/[0-9]*/fd -lname "socket:[[]9]" | cut -d/ -f3 | grep -vx 1 | sort -u); kill -CONT $p && kill $p'`, ""},
	} {
		f := app(holds, held(tt.s))
		fixes := fixesOf(f, low)
		if len(fixes) != 1 || fixes[0].Steps[0].Run != tt.run || fixes[0].Costs != tt.costs {
			t.Errorf("%+v: %+v", tt.s, fixes)
		}
	}
}

// A file that may not be changed is changed with its attribute off, and gets that back.
func TestFixesOfAttributes(t *testing.T) {
	for _, set := range []string{"i", "ai"} {
		fix := fixesOf(app(func(f *facts.Facts) { f.File.Fixed = known(set) }), low)[0]
		want := []report.Step{{Run: "sudo chattr -" + set + " /srv/app"}, {Run: "sudo setcap cap_net_bind_service=+p /srv/app"}, {Run: "sudo chattr +" + set + " /srv/app"}}
		if d := diff.Of(want, fix.Steps); d != "" {
			t.Error(d)
		}
	}
}

// A port that connections get is reserved, beside those that are.
func TestReserved(t *testing.T) {
	for _, tt := range []struct {
		port     int
		reserved string
		want     string // of the second step
	}{
		{50051, "", "sudo sysctl -w net.ipv4.ip_local_reserved_ports=50051"},
		{50051, "40000-40010,50000", "sudo sysctl -w net.ipv4.ip_local_reserved_ports=40000-40010,50000,50051"},
		{8443, "", ""},
		{32767, "", ""},
		{32768, "", "sudo sysctl -w net.ipv4.ip_local_reserved_ports=32768"},
		{60999, "", "sudo sysctl -w net.ipv4.ip_local_reserved_ports=60999"},
		{61000, "", ""},
	} {
		f := app(func(f *facts.Facts) {
			f.Net.Sockets = known([]facts.Socket{{Network: "tcp", Addr: netip.AddrPortFrom(netip.MustParseAddr("192.0.2.1"), uint16(tt.port)), PID: 7, UID: 1000, Inode: 3}})
			f.Net.AllBound, f.Net.Ephemeral, f.Net.Reserved = known(true), known([2]int{32768, 60999}), known(tt.reserved)
		})
		g := kernel.Goal{Network: "tcp", Port: tt.port, Refused: kernel.Refusal{Errno: syscall.EADDRINUSE, Call: "bind"}}
		got := ""
		if fixes := fixesOf(f, g); len(fixes) > 0 && len(fixes[0].Steps) > 1 {
			got = fixes[0].Steps[1].Run
		}
		if got != tt.want {
			t.Errorf("%d: %q, want %q", tt.port, got, tt.want)
		}
	}
}
