package remedy

import (
	"net/netip"
	"strings"
	"syscall"
	"testing"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/internal/facts"
	"github.com/lowport/lowport/internal/kernel"
)

// worldOf is the likeliest world of a guarded program that was refused, or that will be.
func worldOf(t *testing.T, f facts.Facts, g kernel.Goal) kernel.World {
	t.Helper()
	g.Raises = true
	all := kernel.Worlds(&f, g)
	if len(all) == 0 {
		t.Fatal("no world")
	}
	return all[0]
}

// podman's --cap-add is ambient for any user; docker's helps root, and a file that is not executed
// without it.
func TestCapAdd(t *testing.T) {
	engine := func(name string) func(*facts.Facts) {
		return func(f *facts.Facts) { f.Launcher.Container = known(name) }
	}
	uid0 := func(f *facts.Facts) { f.Proc.IDs = known(facts.IDs{}) }
	noIDs := func(f *facts.Facts) { f.Proc.IDs = facts.Fact[facts.IDs]{} }
	below := func(f *facts.Facts) { f.Launcher.Ancestor = known(facts.Ancestor{}) }
	// The file asks at once for what the bounding set lacks.
	refused := func(f *facts.Facts) {
		f.File.Installed.Caps = known(caps.File{Version: 2, Permitted: bind | caps.SetOf(caps.NET_RAW), Effective: true})
		f.Launch.Starter = known(caps.State{Bounding: bind})
		*f = kernel.Plan(*f)
	}
	for _, tt := range []struct {
		name    string
		changes []func(*facts.Facts)
		want    string // the flags, "" for no fix
		ambient bool
	}{
		{"podman", []func(*facts.Facts){engine("podman")}, "--cap-add=NET_BIND_SERVICE", true},
		{"podman, and its user changed", []func(*facts.Facts){engine("podman"), below}, "", false},
		{"podman, and who this is cannot be read", []func(*facts.Facts){engine("podman"), noIDs}, "", false},
		{"docker", []func(*facts.Facts){engine("docker")}, "", false},
		{"docker, as root", []func(*facts.Facts){engine("docker"), uid0}, "--cap-add=NET_BIND_SERVICE", true},
		{"docker, not executed", []func(*facts.Facts){engine("docker"), refused}, "--cap-add=NET_RAW", false},
		{"podman, not executed", []func(*facts.Facts){engine("podman"), refused}, "--cap-add=NET_RAW", false},
		{"docker, not executed, and its user changed", []func(*facts.Facts){engine("docker"), below, refused}, "--cap-add=NET_RAW", false},
		{"another engine", []func(*facts.Facts){engine("lxc"), uid0}, "", false},
	} {
		w := worldOf(t, app(tt.changes...), low)
		c, ok := capAdd(w, low)
		got, ambient := "", false
		if ok {
			got, ambient = strings.TrimSuffix(c.Steps[0].Content, "\n"), c.change(w).Starter.Ambient != 0
		}
		if got != tt.want || ambient != tt.ambient {
			t.Errorf("%s: %q, ambient %v; want %q", tt.name, got, ambient, tt.want)
		}
	}
}

// A pod whose bounding set lacks the capability has to add it, besides the file in the image.
func TestAddToImage(t *testing.T) {
	for engine, want := range map[string]int{"kubernetes": 2, "docker": 1} {
		f := app(thread(noBounding), func(f *facts.Facts) { f.Launcher.Container = known(engine) })
		if c, ok := addToImage(worldOf(t, f, low), low); !ok || len(c.Steps) != want {
			t.Errorf("%s: %v, %+v", engine, ok, c.Steps)
		}
	}
	f := app(func(f *facts.Facts) { f.Launcher.Container = known("kubernetes") })
	if c, ok := addToImage(worldOf(t, f, low), low); !ok || len(c.Steps) != 1 {
		t.Errorf("a whole bounding set: %v, %+v", ok, c.Steps)
	}
}

// What shows that a filter refuses a call: the story, the unit's filter on listen, or a probe that
// the kernel did not answer.
func TestFiltersCall(t *testing.T) {
	for _, tt := range []struct {
		unseen, listen string
		probe          facts.Probe
		want           bool
	}{
		{"", "", facts.Probe{}, false}, {"listen", "", facts.Probe{}, true}, {"policy", "", facts.Probe{}, false}, {"", "EPERM", facts.Probe{}, true},
		{"", "", facts.Probe{Errno: "EPERM"}, true}, {"", "", facts.Probe{Errno: "EPERM", By: facts.ByKernel}, false},
	} {
		f := facts.Facts{Launch: facts.Launch{Listen: tt.listen}, Policy: facts.Policy{Probes: known([]facts.Probe{tt.probe})}}
		if got := filtersCall(kernel.World{Facts: &f, Unseen: tt.unseen}); got != tt.want {
			t.Errorf("%+v: %v", tt, got)
		}
	}
}

// Where a socket that does not listen may hold the port, every fix but the one that ends it says so.
func TestDepends(t *testing.T) {
	f := app(func(f *facts.Facts) {
		f.Net.Sockets = known([]facts.Socket{{Network: "tcp", Addr: netip.MustParseAddrPort("0.0.0.0:443"), Bound: true, UID: 33, PID: 77, Inode: 5}})
		f.Net.AllBound = known(true)
	})
	g := low
	g.Refused = kernel.Refusal{Errno: syscall.EACCES, Call: "bind"}
	fixes := fixesOf(f, g)
	if len(fixes) == 0 {
		t.Fatal("no fixes")
	}
	for _, fix := range fixes {
		if (fix.Depends != "") != (fix.ID != "stop-owner") {
			t.Errorf("%s depends on %q", fix.ID, fix.Depends)
		}
	}
}

// The sockets that are in the way are ended together, each holder once.
func TestStopSeveral(t *testing.T) {
	at := netip.MustParseAddrPort
	tcp := func(s facts.Socket) facts.Socket {
		s.Network, s.Addr, s.Listen = "tcp", at("0.0.0.0:443"), true
		return s
	}
	many := func(n int) (all []facts.Socket) {
		for i := range n {
			all = append(all, tcp(facts.Socket{Inode: uint64(100 + i), UID: 33}))
		}
		return all
	}
	for _, tt := range []struct {
		name  string
		socks []facts.Socket
		ends  string // what the commands name, in this order; "" for no fix
	}{
		{"two that are hidden", []facts.Socket{tcp(facts.Socket{Inode: 5}), tcp(facts.Socket{Inode: 6})}, "[5] [6]"},
		{"two of one process", []facts.Socket{tcp(facts.Socket{PID: 77, UID: 33}), tcp(facts.Socket{PID: 77, UID: 33})}, "kill 77"},
		{"two processes", []facts.Socket{tcp(facts.Socket{PID: 77, UID: 33}), tcp(facts.Socket{PID: 78, UID: 33})}, "kill 77 kill 78"},
		{"as many as a command names", many(mostSockets), "[100] [115]"},
		{"one more", many(mostSockets + 1), ""},
	} {
		f := app(holds, func(f *facts.Facts) { f.Net.Sockets = known(tt.socks) })
		c, ok := stopOwners(kernel.World{Facts: &f, Holder: 0}, []kernel.Goal{low})
		var run []string
		for _, s := range c.Steps {
			run = append(run, s.Run)
		}
		text := strings.Join(run, "\n")
		rest := text
		for _, part := range strings.Split(strings.ReplaceAll(tt.ends, "kill ", "kill_"), " ") {
			part = strings.ReplaceAll(strings.ReplaceAll(part, "kill_", "kill "), "[", "socket:[[]")
			_, after, found := strings.Cut(rest, part)
			if rest = after; !found && tt.ends != "" {
				t.Errorf("%s: %q does not name %q", tt.name, text, part)
			}
		}
		if ok != (tt.ends != "") || strings.Count(text, "kill 77") > 1 {
			t.Errorf("%s: %v, %q", tt.name, ok, text)
		}
	}
	for uid, want := range map[uint32]bool{0: true, facts.OverflowID: true, 1000: false} {
		f := app(holds, func(f *facts.Facts) {
			f.Net.Sockets = known([]facts.Socket{{Network: "udp", Addr: at("0.0.0.0:443"), Inode: 5, UID: uid}})
		})
		if c, ok := stopOwners(kernel.World{Facts: &f, Holder: 0}, []kernel.Goal{{Network: "udp", Port: 443}}); !ok || strings.Contains(c.Depends, "kernel") != want {
			t.Errorf("a datagram socket of uid %d: %v, depends on %q", uid, ok, c.Depends)
		}
	}
}

// Who counts processes as we do, who is root of the machine, and who may end a process without it.
func TestWhoRuns(t *testing.T) {
	operator := func(o facts.Operator) facts.Fact[facts.Operator] { return known(o) }
	for _, tt := range []struct {
		name     string
		operator facts.Fact[facts.Operator]
		parent   facts.Fact[int]
		want     bool
	}{
		{"the same", operator(facts.Operator{SamePID: true}), facts.Fact[int]{}, true},
		{"another", operator(facts.Operator{}), known(7), false},
		{"none, and a parent here", facts.Fact[facts.Operator]{}, known(7), true},
		{"none, and a parent elsewhere", facts.Fact[facts.Operator]{}, known(0), false},
		{"none, and nothing known", facts.Fact[facts.Operator]{}, facts.Fact[int]{}, false},
		{"nobody", none[facts.Operator](), known(7), false},
	} {
		if got := countsAlike(&facts.Facts{Launcher: facts.Launcher{Operator: tt.operator}, Proc: facts.Proc{Parent: tt.parent}}); got != tt.want {
			t.Errorf("%s: counts alike %v", tt.name, got)
		}
	}
	for _, tt := range []struct {
		ids  facts.Fact[facts.IDs]
		uids facts.Fact[string]
		want bool
	}{
		{known(facts.IDs{}), known(facts.WholeMap), true}, {known(facts.IDs{}), known("0 1000 1"), false}, {known(facts.IDs{UID: 0, EUID: 7}), known(facts.WholeMap), false},
		{facts.Fact[facts.IDs]{}, known(facts.WholeMap), false}, {known(facts.IDs{}), facts.Fact[string]{}, false},
	} {
		if got := Root(&facts.Facts{Proc: facts.Proc{IDs: tt.ids}, Net: facts.Net{UIDMap: tt.uids}}); got != tt.want {
			t.Errorf("%+v with %q: root %v", tt.ids.Value, tt.uids.Value, got)
		}
	}
	for _, tt := range []struct {
		us, operator, holder uint32
		want                 string
	}{
		{1000, 1000, 1000, "kill 7"}, {1000, 1000, 33, "sudo kill 7"}, {33, 1000, 33, "sudo kill 7"}, {1000, 33, 33, "sudo kill 7"},
	} {
		f := facts.Facts{Proc: facts.Proc{IDs: known(facts.IDs{UID: tt.us, EUID: tt.us})}, Launcher: facts.Launcher{Operator: operator(facts.Operator{UID: tt.operator})}}
		if got := kill(&f, facts.Socket{UID: tt.holder}, []int{7})[0].Run; got != tt.want {
			t.Errorf("%+v: %s", tt, got)
		}
	}
	for cgroup, want := range map[string]string{"/system.slice/web.service": "web.service", "/web.service": "", "web.service": "", "/system.slice": "", "/": "", "/a.slice/b.slice/web.socket": "web.socket"} {
		if u, ok := unitOf(cgroup); u.Name != want && ok || ok != (want != "") {
			t.Errorf("%s: %+v %v", cgroup, u, ok)
		}
	}
}

// The words with which root becomes the user of the program: by name where the name is that of the
// same id outside.
func TestAsUser(t *testing.T) {
	for _, tt := range []struct {
		name    string
		outside bool
		uids    string
		want    string
	}{
		{"here", false, facts.WholeMap, "--reuid=app --regid=1000 --init-groups"},
		{"outside, with the same id", true, "1000 1000 1", "--reuid=app --regid=1000 --init-groups"},
		{"outside, with another id", true, "1000 2000 1", "--reuid=2000 --regid=2000 --clear-groups"},
	} {
		f := app(func(f *facts.Facts) {
			f.Launcher.Operator.Value.OtherUsers, f.Net.UIDMap, f.Net.GIDMap = tt.outside, known(tt.uids), known(tt.uids)
		})
		words, _, ok := asUser(&f)
		if got := strings.Join(words[1:], " "); !ok || got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
	for _, there := range []bool{true, false} {
		for _, foreign := range []bool{true, false} {
			f := app(func(f *facts.Facts) { f.File.Exe.Stat = known(facts.Stat{Mode: 0o100711}) })
			if !there {
				f.File.Installed.Stat = none[facts.Stat]()
			}
			if foreign {
				f.File.MountPoint = none[string]()
			}
			sameFile(&f)
			if replaced := f.File.Installed.Stat.Value.Mode == 0o100711; replaced == there || f.Launch.Foreign != (foreign && !there) {
				t.Errorf("a file that is there %v, by a foreign mount %v: replaced %v, foreign %v", there, foreign, replaced, f.Launch.Foreign)
			}
		}
	}
}

// A network that may be PrivateNetwork='s, where process 1 is hidden, has loopback addresses alone.
func TestMayBePrivate(t *testing.T) {
	lo, lan := []netip.Addr{netip.MustParseAddr("127.0.0.1")}, []netip.Addr{netip.MustParseAddr("127.0.0.1"), netip.MustParseAddr("192.0.2.1")}
	u := known(facts.Unit{Name: "app.service"})
	for _, tt := range []struct {
		name  string
		unit  facts.Fact[facts.Unit]
		apart facts.Fact[bool]
		addrs facts.Fact[[]netip.Addr]
		want  bool
	}{
		{"a service that sees loopback", u, facts.Fact[bool]{}, known(lo), true}, {"one that sees more", u, facts.Fact[bool]{}, known(lan), false},
		{"one whose network is known", u, known(false), known(lo), false}, {"no service", none[facts.Unit](), facts.Fact[bool]{}, known(lo), false},
		{"one that sees nothing", u, facts.Fact[bool]{}, facts.Fact[[]netip.Addr]{}, false},
	} {
		if got := mayBePrivate(&facts.Facts{Launcher: facts.Launcher{Unit: tt.unit}, Net: facts.Net{Apart: tt.apart, Addresses: tt.addrs}}); got != tt.want {
			t.Errorf("%s: %v", tt.name, got)
		}
	}
	f := app()
	always, _ := network(&f, "", "a=1", "/etc/sysctl.d/a.conf")
	later, _ := network(&f, "if it comes later", "a=1", "/etc/sysctl.d/a.conf")
	if strings.HasPrefix(always.Summary, ",") || !strings.HasPrefix(later.Summary, "if it comes later, ") {
		t.Errorf("%q, %q", always.Summary, later.Summary)
	}
}

// A socket unit has a name that systemd takes, of at most 255 bytes.
func TestSocketUnitName(t *testing.T) {
	for length, want := range map[int]bool{longestUnitName: true, longestUnitName + 1: false} {
		f := app(unit)
		f.Launcher.Unit.Value.Name = strings.Repeat("a", length-len("-tcp-443.socket")) + ".service"
		if _, ok := socketUnits(worldOf(t, f, low), []kernel.Goal{low}); ok != want {
			t.Errorf("a name of %d bytes: %v", length, ok)
		}
	}
	if f := app(func(f *facts.Facts) { f.Net.UIDMap = facts.Fact[string]{} }); privateUsers(&f) {
		t.Error("a user namespace that cannot be read is that of PrivateUsers=")
	}
}

// A wider address is offered only where the port is free on it, as far as all sockets are seen.
func TestEveryAddress(t *testing.T) {
	g := kernel.Goal{Network: "tcp", Port: 443, Addr: netip.MustParseAddr("192.0.2.9"), Refused: kernel.Refusal{Errno: syscall.EADDRNOTAVAIL, Call: "bind"}}
	at := func(a string, bound bool) []facts.Socket {
		return []facts.Socket{{Network: "tcp", Addr: netip.MustParseAddrPort(a), Bound: bound, Listen: !bound, Inode: 5}}
	}
	for _, tt := range []struct {
		name  string
		socks []facts.Socket
		want  bool
	}{
		{"nobody", nil, true}, {"a listener on one address", at("192.0.2.1:443", false), false}, {"one on another port", at("192.0.2.1:80", false), true},
		{"one that is only bound", at("192.0.2.1:443", true), false}, {"one that is only bound, of another port", at("192.0.2.1:80", true), true},
	} {
		f := app(holds, func(f *facts.Facts) { f.Net.Sockets = known(tt.socks) })
		if _, ok := everyAddress(kernel.World{Facts: &f}, g); ok != tt.want {
			t.Errorf("%s: %v", tt.name, ok)
		}
	}
}
