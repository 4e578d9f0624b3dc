package kernel

import (
	"fmt"
	"net/netip"
	"strings"
	"syscall"
	"testing"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/internal/facts"
)

var needsBind = caps.SetOf(caps.NET_BIND_SERVICE)

func is[T any](v T) facts.Fact[T]                { return facts.Fact[T]{}.Now(v) }
func unreadable[T any](why string) facts.Fact[T] { return facts.Fact[T]{Reason: why} }

// costs lists what the worlds cost, in their order.
func costs(all []World) string {
	var words []string
	for _, w := range all {
		words = append(words, fmt.Sprint(w.cost))
	}
	return strings.Join(words, " ")
}

// Execve sets AT_SECURE if it changes an id, whoever calls it, and otherwise only for a user who is
// not root (cap_bprm_creds_from_file).
func TestSecure(t *testing.T) {
	app, root := facts.IDs{UID: 1000, EUID: 1000, GID: 1000, EGID: 1000}, facts.IDs{}
	file := func(mode, uid, gid uint32) Image {
		return Image{Stat: facts.Stat{Mode: 0o100755 | mode, UID: uid, GID: gid}}
	}
	with := func(i Image, c caps.File) Image { i.Stamped, i.Caps = true, c; return i }
	plain := file(0, 0, 0)
	for _, tt := range []struct {
		name     string
		caller   facts.IDs
		image    Image
		starter  caps.State
		executed caps.State
		want     bool
	}{
		{"a user's plain program", app, plain, caps.State{}, caps.State{}, false},
		{"a user's ambient capability", app, plain, caps.State{}, caps.State{Permitted: needsBind, Ambient: needsBind}, false},
		{"a file that grants", app, with(plain, caps.File{Permitted: needsBind}), caps.State{}, caps.State{Permitted: needsBind}, true},
		{"a file with the effective bit whose grant is void", app, with(plain, caps.File{Effective: true}), caps.State{}, caps.State{}, true},
		{"that on a nosuid mount", app, Image{Nosuid: true, Stamped: true, Caps: caps.File{Effective: true}}, caps.State{}, caps.State{}, false},
		{"root's plain program", root, plain, caps.State{}, caps.State{Permitted: needsBind}, false},
		{"root's program with capabilities", root, with(plain, caps.File{Permitted: needsBind, Effective: true}), caps.State{}, caps.State{Permitted: needsBind}, false},
		{"a setuid program of root", app, file(0o4000, 0, 1000), caps.State{}, caps.State{}, true},
		{"a setuid program of the user", app, file(0o4000, 1000, 1000), caps.State{}, caps.State{}, false},
		{"a setgid program of another group", app, file(0o2010, 0, 5), caps.State{}, caps.State{}, true},
		{"a setgid program of the group", app, file(0o2010, 0, 1000), caps.State{}, caps.State{}, false},
		{"a setuid program of another, executed by root", root, file(0o4000, 65534, 0), caps.State{}, caps.State{}, true},
		{"a setuid program under no_new_privs", app, file(0o4000, 0, 0), caps.State{NoNewPrivs: true}, caps.State{}, false},
	} {
		w := World{Facts: &facts.Facts{}, Caller: tt.caller, Image: tt.image, Starter: tt.starter}
		if got := w.secure(tt.executed); got != tt.want {
			t.Errorf("%s: AT_SECURE %v", tt.name, got)
		}
	}
}

// A process is undumpable once its ids changed, or once it got what its starter did not hold
// (commit_creds).
func TestUndumpable(t *testing.T) {
	for _, tt := range []struct {
		name     string
		now      facts.IDs
		caller   facts.IDs
		starter  caps.Set
		executed caps.Set
		want     bool
	}{
		{"nothing", facts.IDs{UID: 7, EUID: 7, GID: 7, EGID: 7}, facts.IDs{UID: 7}, 0, 0, false},
		{"another user", facts.IDs{UID: 7, EUID: 7}, facts.IDs{}, 0, 0, true},
		{"another effective user", facts.IDs{UID: 7, EUID: 0}, facts.IDs{UID: 7}, 0, 0, true},
		{"another effective group", facts.IDs{UID: 7, EUID: 7, GID: 7}, facts.IDs{UID: 7}, 0, 0, true},
		{"a grant", facts.IDs{UID: 7, EUID: 7}, facts.IDs{UID: 7}, 0, needsBind, true},
		{"what the starter held", facts.IDs{UID: 7, EUID: 7}, facts.IDs{UID: 7}, needsBind, needsBind, false},
	} {
		w := World{Facts: &facts.Facts{Proc: facts.Proc{IDs: is(tt.now)}}, Caller: tt.caller, Starter: caps.State{Permitted: tt.starter}}
		if got := w.undumpable(caps.State{Permitted: tt.executed}); got != tt.want {
			t.Errorf("%s: undumpable %v", tt.name, got)
		}
	}
}

// What the label of a process may mean, what a drop took, and who executed this process.
func TestMarks(t *testing.T) {
	for _, tt := range []struct {
		label facts.Fact[string]
		want  bool
	}{
		{is("unconfined"), false}, {is("unconfined (enforce)"), false}, {is("snap.x.y (enforce)"), true}, {unreadable[string]("EACCES"), true}, {facts.Fact[string]{State: facts.Absent}, false},
	} {
		if got := labeled(&facts.Facts{Policy: facts.Policy{Label: tt.label}}); got != tt.want {
			t.Errorf("label %+v: %v", tt.label, got)
		}
	}
	for _, tt := range []struct {
		drops, now, set caps.Set
		want            bool
	}{
		{needsBind, 0, needsBind, true}, {needsBind, needsBind, needsBind, false}, {0, 0, needsBind, false}, {needsBind, 0, 0, false}, {needsBind, caps.SetOf(caps.CHOWN), needsBind, true},
	} {
		w := World{Facts: &facts.Facts{Proc: facts.Proc{Drops: is(tt.drops)}}, now: caps.State{Permitted: tt.now}}
		if got := w.drops(tt.set); got != tt.want {
			t.Errorf("a drop of %v, with %v left, of %v: %v", tt.drops, tt.now, tt.set, got)
		}
	}
	for _, tt := range []struct {
		pid       facts.Fact[int]
		container string
		want      bool
	}{
		{is(1), "kubernetes", true}, {is(2), "kubernetes", false}, {is(1), "docker", false}, {unreadable[int](""), "kubernetes", false},
	} {
		if got := Entrypoint(&facts.Facts{Proc: facts.Proc{PID: tt.pid}, Launcher: facts.Launcher{Container: is(tt.container)}}); got != tt.want {
			t.Errorf("pid %+v of %s: %v", tt.pid, tt.container, got)
		}
	}
}

// A starter that can hardly have held the capability costs one more: an ordinary user's process
// that holds nothing of it.
func TestPoor(t *testing.T) {
	ids := facts.IDs{UID: 1000, EUID: 1000}
	other, root := facts.IDs{UID: 1001, EUID: 1001}, facts.IDs{UID: 1000}
	for _, tt := range []struct {
		name   string
		parent facts.Fact[facts.Ancestor]
		ids    facts.Fact[facts.IDs]
		want   string // costs of a starter without it, and of one with it
	}{
		{"the same user with nothing", is(facts.Ancestor{IDs: ids}), is(ids), "0 2"},
		{"another user", is(facts.Ancestor{IDs: other}), is(ids), "0 1"},
		{"one with root's effective id", is(facts.Ancestor{IDs: root}), is(ids), "0 1"},
		{"one that holds it", is(facts.Ancestor{IDs: ids, State: caps.State{Permitted: needsBind}}), is(ids), "0 1"},
		{"one that has it inheritable", is(facts.Ancestor{IDs: ids, State: caps.State{Inheritable: needsBind}}), is(ids), "0 1"},
		{"one that cannot be seen", unreadable[facts.Ancestor]("EACCES"), is(ids), "0 1"},
		{"nobody knows who we are", is(facts.Ancestor{IDs: ids}), unreadable[facts.IDs]("EACCES"), "0 1"},
	} {
		f := facts.Facts{Proc: facts.Proc{IDs: tt.ids}, Launcher: facts.Launcher{Parent: tt.parent}}
		if got := costs(starters(World{Facts: &f, Caller: ids}, Goal{}, needsBind)); got != tt.want {
			t.Errorf("%s: costs %s, want %s", tt.name, got, tt.want)
		}
	}
}

// What happened before or since cannot always be seen: how many stories that makes.
func TestQuestions(t *testing.T) {
	refused := Goal{Network: "tcp", Port: 443, Refused: Refusal{Errno: syscall.EACCES, Call: "bind"}}
	v3 := Image{Stamped: true, Caps: caps.File{Version: 3, RootID: 7}}
	v2 := Image{Stamped: true, Caps: caps.File{Version: 2}}
	nnp := World{Starter: caps.State{NoNewPrivs: true}}
	letGo := nnp
	letGo.Since = LetGo
	hiddenExe := facts.Image{Stat: unreadable[facts.Stat]("EACCES")}
	stat := facts.Image{Stat: is(facts.Stat{})}
	for _, tt := range []struct {
		name  string
		ask   unknown
		w     World
		facts facts.Facts
		want  string
	}{
		{"no_new_privs, and no note of the start", noNewPrivs, nnp, facts.Facts{}, "0 1"},
		{"no_new_privs of one that gave up privileges", noNewPrivs, letGo, facts.Facts{}, "0 0"},
		{"no_new_privs at the start", noNewPrivs, nnp, facts.Facts{Proc: facts.Proc{AtInit: is(caps.State{NoNewPrivs: true})}}, "0"},
		{"no_new_privs since the start", noNewPrivs, nnp, facts.Facts{Proc: facts.Proc{AtInit: is(caps.State{})}}, "0"},

		{"an idmapped mount and a file for our root", idmaps, World{Image: v2}, facts.Facts{File: facts.File{IdmappedThere: is(true)}}, "0"},
		{"an idmapped mount and a file for another root", idmaps, World{Image: v3}, facts.Facts{File: facts.File{IdmappedThere: is(true)}}, "0 0"},
		{"another mount and a file for another root", idmaps, World{Image: v3}, facts.Facts{File: facts.File{IdmappedThere: is(false)}}, "0"},
		{"an unknown mount and a file for another root", idmaps, World{Image: v3}, facts.Facts{File: facts.File{IdmappedThere: unreadable[bool]("EACCES")}}, "0 0"},
		{"a recording without that", idmaps, World{Image: v3}, facts.Facts{File: facts.File{IdmappedThere: unreadable[bool](facts.NotRecorded)}}, "0"},
		{"an idmapped mount and a plain file", idmaps, World{}, facts.Facts{File: facts.File{IdmappedThere: is(true)}}, "0 0"},
		{"an unknown mount and a plain file", idmaps, World{}, facts.Facts{File: facts.File{IdmappedThere: unreadable[bool]("EACCES")}}, "0"},

		{"a mount of this namespace", foreigns, World{}, facts.Facts{File: facts.File{MountPoint: is("/"), Exe: stat}}, "0"},
		{"a mount that cannot be seen", foreigns, World{}, facts.Facts{File: facts.File{Exe: stat, Installed: stat}}, "0 1"},
		{"a file that only its path names", foreigns, World{}, facts.Facts{File: facts.File{Exe: hiddenExe, Installed: stat}}, "0"},
		{"a file that nothing names", foreigns, World{}, facts.Facts{File: facts.File{Exe: hiddenExe}}, "0 1"},

		{"file capabilities are on", ignoreds, World{}, facts.Facts{Kernel: facts.Kernel{NoFile: is(false)}}, "0"},
		{"whether they are cannot be read", ignoreds, World{}, facts.Facts{}, "0 2"},

		{"the namespace counts", owners, World{}, facts.Facts{Net: facts.Net{Owner: is(facts.OwnerHere)}}, "0"},
		{"whether it does cannot be read, of a refusal", owners, World{}, facts.Facts{}, "0 1"},
	} {
		tt.w.Facts = &tt.facts
		if got := costs(tt.ask(tt.w, refused, needsBind)); got != tt.want {
			t.Errorf("%s: costs %s, want %s", tt.name, got, tt.want)
		}
	}
	if got := costs(owners(World{Facts: &facts.Facts{}}, Goal{Network: "tcp", Port: 443}, needsBind)); got != "0 0" {
		t.Errorf("what was not tried: %s", got)
	}
	if all := noNewPrivs(World{Facts: &facts.Facts{Proc: facts.Proc{AtInit: is(caps.State{})}}, Starter: caps.State{NoNewPrivs: true}}, refused, needsBind); all[0].Starter.NoNewPrivs {
		t.Error("the starter had no_new_privs, and the program at its start had not")
	}
}

// Where the threshold cannot be read it is the kernel's default, or one on the other side of
// the port.
func TestPortStarts(t *testing.T) {
	for port, want := range map[int]string{443: "privileged 0, free 1", 1023: "privileged 0, free 1", 1024: "free 0, privileged 1", 8443: "free 0, privileged 1"} {
		g := Goal{Network: "tcp", Port: port}
		var got []string
		for _, w := range portStarts(World{Facts: &facts.Facts{}}, g, 0) {
			got = append(got, fmt.Sprintf("%s %d", map[bool]string{true: "privileged", false: "free"}[w.Privileged(g)], w.cost))
		}
		if s := strings.Join(got, ", "); s != want {
			t.Errorf("port %d: %s, want %s", port, s, want)
		}
		if g.Threshold() != (port >= 1024) {
			t.Errorf("port %d is unprivileged by default: %v", port, g.Threshold())
		}
	}
	if (Goal{Port: 8443}).Threshold() {
		t.Error("a goal that is no bind has a threshold")
	}
}

// An address that no interface has may be a local route's. For IPv4 the kernel checks it first,
// so an EACCES of the port check shows that it was accepted.
func TestLocals(t *testing.T) {
	v4, v6 := netip.MustParseAddr("192.0.2.7"), netip.MustParseAddr("2001:db8::7")
	refuses := []facts.Probe{{Network: "tcp4", Errno: "EACCES"}, {Network: "tcp6", Errno: "EACCES"}}
	for _, tt := range []struct {
		name   string
		addr   netip.Addr
		errno  syscall.Errno
		probes []facts.Probe
		here   bool
		want   string
	}{
		{"IPv4, not permitted", v4, syscall.EACCES, nil, false, "no 0, yes 0"},
		{"IPv6, not permitted", v6, syscall.EACCES, nil, false, "no 0, yes 1"},
		{"IPv4, not available", v4, syscall.EADDRNOTAVAIL, nil, false, "no 0, yes 1"},
		{"IPv4, not permitted by a policy", v4, syscall.EACCES, refuses, false, "no 0, yes 1"},
		{"not tried", v4, 0, nil, false, "no 0"},
		{"IPv4, here", v4, syscall.EACCES, nil, true, "yes 0"},
		{"one that no socket can have", netip.MustParseAddr("fe80::1"), syscall.EINVAL, nil, false, "no 0"},
	} {
		f := facts.Facts{Net: facts.Net{Nonlocal: is(false), Nonlocal6: is(false), Addresses: is([]netip.Addr(nil)), Tentative: is([]netip.Addr(nil))}, Policy: facts.Policy{Probes: is(tt.probes)}}
		if tt.here {
			f.Net.Addresses = is([]netip.Addr{tt.addr})
		}
		g := Goal{Network: "tcp", Port: 443, Addr: tt.addr, Refused: Refusal{Errno: tt.errno}}
		var got []string
		for _, w := range locals(World{Facts: &f}, g, 0) {
			got = append(got, fmt.Sprintf("%s %d", map[bool]string{true: "yes", false: "no"}[w.Local], w.cost))
		}
		if s := strings.Join(got, ", "); s != tt.want {
			t.Errorf("%s: local %s, want %s", tt.name, s, tt.want)
		}
	}
}

// Of a port that is taken and of which no socket is seen: TCP hides sockets that are only bound,
// before Linux 6.8.
func TestHolders(t *testing.T) {
	for _, tt := range []struct {
		network string
		listed  facts.Fact[bool]
		want    string
	}{
		{"tcp", facts.Fact[bool]{}, "0 0"}, {"tcp", is(false), "0 0"}, {"tcp", is(true), "0 1"}, {"udp", is(false), "0 1"},
	} {
		f := facts.Facts{Net: facts.Net{Sockets: is([]facts.Socket(nil)), AllBound: tt.listed}}
		g := Goal{Network: tt.network, Port: 443, Refused: Refusal{Errno: syscall.EADDRINUSE}}
		if got := costs(holders(World{Facts: &f, Holder: Nobody}, g, 0)); got != tt.want {
			t.Errorf("%s, all listed %v: %s, want %s", tt.network, tt.listed.Value, got, tt.want)
		}
	}
}

// What leaves no trace refuses at a gate that answers with such an errno, in such a call.
func TestUnseens(t *testing.T) {
	landlocked := []facts.Probe{{Network: "tcp4", Errno: "EACCES"}, {Network: "tcp6", Errno: "EACCES"}, {Network: "mptcp4"}, {Network: "mptcp6"}}
	open := World{PortStart: 80, Local: true, Holder: Nobody, Counts: true, Granted: true, seen: true}
	for _, tt := range []struct {
		name    string
		refused Refusal
		mptcp   bool
		seccomp int
		want    string
	}{
		{"not tried", Refusal{}, false, 0, ""},
		{"bind is not permitted", Refusal{Errno: syscall.EACCES, Call: "bind"}, false, 0, "policy 1"},
		{"listen is not permitted", Refusal{Errno: syscall.EACCES, Call: "listen"}, false, 0, "listen 1"},
		{"no such family", Refusal{Errno: syscall.EAFNOSUPPORT, Call: "socket"}, false, 0, "socket 1"},
		{"no such address", Refusal{Errno: syscall.EADDRNOTAVAIL, Call: "bind"}, false, 0, "address 1"},
		{"a wildcard address that is not available", Refusal{Errno: syscall.EADDRNOTAVAIL, Call: "bind"}, false, 0, "policy 1"},
		{"a wildcard address that is invalid", Refusal{Errno: syscall.EINVAL, Call: "bind"}, false, 0, "policy 1"},
		{"a port that is taken", Refusal{Errno: syscall.EADDRINUSE, Call: "bind"}, false, 0, ""},
		{"a port that is taken at listen", Refusal{Errno: syscall.EADDRINUSE, Call: "listen"}, false, 0, "listen 1"},
		{"an odd errno", Refusal{Errno: syscall.EIO, Call: "bind"}, false, 0, "policy 2"},
		{"a filter, and MPTCP that nothing seen refuses", Refusal{Errno: syscall.EACCES, Call: "bind"}, true, 2, "policy 2, listen 1"},
		{"no filter, and MPTCP that nothing seen refuses", Refusal{Errno: syscall.EACCES, Call: "bind"}, true, 0, "policy 1"},
		{"a filter, and no MPTCP tried", Refusal{Errno: syscall.EACCES, Call: "bind"}, false, 2, "policy 1"},
	} {
		f := facts.Facts{Proc: facts.Proc{Seccomp: is(tt.seccomp)}, Policy: facts.Policy{Probes: is(landlocked)}}
		w := open
		addr := netip.MustParseAddr("192.0.2.1")
		if strings.Contains(tt.name, "wildcard") {
			addr = netip.Addr{}
		}
		w.Facts = &f
		var got []string
		for _, w := range unseens(w, Goal{Network: "tcp", Addr: addr, Port: 443, MPTCP: tt.mptcp, Refused: tt.refused}, 0)[1:] {
			got = append(got, fmt.Sprintf("%s %d", w.Unseen, w.cost))
		}
		if s := strings.Join(got, ", "); s != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, s, tt.want)
		}
	}
}

// Without the inode of a user namespace a map that changes an id shows one of its own.
func TestInInitial(t *testing.T) {
	for _, tt := range []struct {
		ns, uids facts.Fact[string]
		want     Answer
	}{
		{is(facts.InitialUserNS), is("0 1000 1"), Yes}, {is("user:[7]"), is(facts.WholeMap), No},
		{facts.Fact[string]{}, is("0 1000 1"), No}, {facts.Fact[string]{}, is(facts.WholeMap), Unknown}, {facts.Fact[string]{}, facts.Fact[string]{}, Unknown},
	} {
		if got := InInitial(&facts.Facts{Net: facts.Net{UserNS: tt.ns, UIDMap: tt.uids}}); got != tt.want {
			t.Errorf("%q with %q: %v, want %v", tt.ns.Value, tt.uids.Value, got, tt.want)
		}
	}
	if Allows(nil, Goal{}) != Unknown {
		t.Error("of no world something is known")
	}
}

// Root holds its bounding set at once, and sudo makes a user root unless no_new_privs is set.
func TestStartedByRoot(t *testing.T) {
	for uid, want := range map[uint32]bool{0: true, 1000: false} {
		w := World{Facts: &facts.Facts{}, Since: LetGo, Caller: facts.IDs{UID: uid, EUID: uid}}
		all := boundings(w, Goal{}, needsBind)
		if len(all) != 2 || all[1].Starter.Permitted.Contains(needsBind) != want {
			t.Errorf("uid %d with a whole bounding set: %+v", uid, all)
		}
		if got := w.bounded(needsBind).Starter.Permitted.Contains(needsBind); got != want {
			t.Errorf("uid %d: permitted with the bounding set: %v", uid, got)
		}
		for nnp, root := range map[bool]bool{false: true, true: uid == 0} {
			w := World{Facts: &facts.Facts{}, Caller: facts.IDs{UID: uid, EUID: uid}, Starter: caps.State{NoNewPrivs: nnp}}
			if got := bySudo(w, Goal{}).Caller.UID == 0; got != root {
				t.Errorf("sudo by %d, no_new_privs %v: root %v", uid, nnp, got)
			}
		}
	}
}

// What came by the file needs no other story, and root that changed its effective user does so at
// each start: no file helps it.
func TestNotRaised(t *testing.T) {
	for _, tt := range []struct {
		name   string
		f      func(*facts.Facts)
		lowers bool // in a likely world the program does so itself
	}{
		{"an inheritable capability that the file lets through", func(f *facts.Facts) {
			s := &f.Proc.Thread.Value
			s.Inheritable, s.Permitted = needsBind, needsBind
			f.File.Exe.Caps = f.File.Exe.Caps.Now(caps.File{Version: 2, Inheritable: needsBind})
			f.Proc.Secure, f.Proc.Dumpable = f.Proc.Secure.Now(true), f.Proc.Dumpable.Now(0)
		}, false},
		{"root with another effective user", func(f *facts.Facts) {
			s := &f.Proc.Thread.Value
			s.Permitted = s.Bounding
			f.Proc.IDs.Value = facts.IDs{EUID: 1000, EGID: 1000}
			f.Proc.Dumpable = f.Proc.Dumpable.Now(0)
		}, true},
	} {
		f := machines(t)["no-capability"].record.Facts()
		f.Proc.AtInit = f.Proc.AtInit.None()
		tt.f(&f)
		f.Proc.Threads = f.Proc.Threads.Now(map[int]caps.State{1: f.Proc.Thread.Value})
		g := Goal{Network: "tcp", Port: 443, Refused: Refusal{Errno: syscall.EACCES, Call: "bind"}}
		lowers := false
		for _, w := range Likeliest(Worlds(&f, g)) {
			lowers = lowers || w.Since == Lowered
			if got := w.Obstacles(g); len(got) != 1 || got[0] != "not-raised" {
				t.Errorf("%s: %q", tt.name, got)
			}
		}
		if lowers != tt.lowers {
			t.Errorf("%s: lowers it: %v", tt.name, lowers)
		}
	}
}
