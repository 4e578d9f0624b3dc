package audit

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/internal/facts"
)

func is[T any](v T) facts.Fact[T] {
	return facts.Fact[T]{Value: v, State: facts.Known, Source: "test"}
}

func same4(id uint32) IDs { return IDs{id, id, id, id} }

// clean is a server of an ordinary user after drop.All.
func clean() Process {
	t := Thread{State: caps.State{Bounding: caps.UpTo(caps.Last), NoNewPrivs: true}, UIDs: same4(1000), GIDs: same4(1000), Groups: "1000", Seccomp: caps.SeccompFilter}
	return Process{
		PID: 7, Name: is("server"), Threads: is(map[int]Thread{7: t, 8: t}), UserNS: is(UserNS{Name: facts.InitialUserNS}), UIDMap: is(facts.WholeMap), GIDMap: is(facts.WholeMap),
		Listens: is([]Listen{{Network: "tcp", Addr: netip.MustParseAddrPort("[::]:443")}}), PortStart: is(1024), Doors: is([]Door{{Path: "/etc/shadow", Mode: 0o100640, GID: 42, Need: 4, Allows: "read hashes"}}),
		Securebits: is(caps.Securebits(0)), Path: is("/srv/app/server"), Deleted: is(false), Same: is(true), Here: true, AsRoot: true,
		Exe: facts.Image{Caps: facts.Fact[caps.File]{State: facts.Absent}, Stat: is(facts.Stat{Mode: 0o100755})}, Interprets: is(false), Open: is([]Open{}), RootRuns: is(true), Terminals: is([]Terminal{}), Typing: is(Typing{}),
		Way: is([]Place{{Path: "/", Mode: 0o040755}, {Path: "/srv", Mode: 0o040755}, {Path: "/srv/app", Mode: 0o040755}, {Path: "/srv/app/server", Mode: 0o100755}}),
	}
}

// with changes every thread of p.
func with(p Process, change func(*Thread)) Process {
	return p.each(func(t Thread) Thread { change(&t); return t })(p)
}

func TestFindings(t *testing.T) {
	admin := caps.SetOf(caps.SYS_ADMIN)
	raw := caps.SetOf(caps.NET_RAW)
	for name, c := range map[string]struct {
		change func(*Process)
		want   string // "severity id" of all findings, the worst first
		fixes  string // "id:ended,ended"
	}{
		"clean": {func(p *Process) {}, "", ""},
		"root with everything": {func(p *Process) {
			*p = with(*p, func(t *Thread) {
				t.UIDs, t.Permitted, t.Effective, t.NoNewPrivs = IDs{}, t.Bounding, t.Bounding, false
			})
		}, "critical root", ""},
		"root on loopback": {func(p *Process) {
			*p = with(*p, func(t *Thread) { t.UIDs = IDs{} })
			p.Listens = is([]Listen{{Network: "tcp", Addr: netip.MustParseAddrPort("127.0.0.1:443")}})
		}, "high root", ""},
		"root again": {func(p *Process) { *p = with(*p, func(t *Thread) { t.UIDs.Saved = 0 }) }, "critical root", ""},
		"root in a unit": {func(p *Process) {
			*p = with(*p, func(t *Thread) { t.UIDs, t.Permitted, t.NoNewPrivs = IDs{}, t.Bounding, false })
			p.Unit = is(facts.Unit{Name: "app.service"})
		}, "critical root", "systemd-drop-in:root"},
		"a user's unit": {func(p *Process) {
			*p = with(*p, func(t *Thread) { t.NoNewPrivs = false })
			p.Unit = is(facts.Unit{Name: "app.service", User: true})
		}, "medium may-gain", "drop:may-gain"},
		"a capability that amounts to root": {func(p *Process) { *p = with(*p, func(t *Thread) { t.Permitted = admin | port }) },
			"critical root-capability, note port-capability", "drop:root-capability"},
		"one that does not":    {func(p *Process) { *p = with(*p, func(t *Thread) { t.Permitted = raw }) }, "medium other-capability", "drop:other-capability"},
		"one that has no name": {func(p *Process) { *p = with(*p, func(t *Thread) { t.Permitted = 1 << 50 }) }, "critical root-capability", "drop:root-capability"},
		"ambient": {func(p *Process) {
			*p = with(*p, func(t *Thread) {
				t.Permitted, t.Effective, t.Inheritable, t.Ambient, t.Bounding = port, port, port, port, port
			})
		}, "note port-capability, note passed-on", ""},
		"in a user namespace": {func(p *Process) {
			*p = with(*p, func(t *Thread) { t.Permitted, t.Ambient = admin|port, port })
			p.UserNS = is(UserNS{Name: "user:[4026532000]", Below: true})
			p.UIDMap, p.GIDMap = is("0 100000 65536"), is("0 100000 65536")
		}, "note user-namespace", ""},
		"in a user namespace that maps root": {func(p *Process) {
			*p = with(*p, func(t *Thread) { t.Permitted = caps.SetOf(caps.DAC_OVERRIDE, caps.SYS_MODULE) })
			p.UserNS = is(UserNS{Name: "user:[4026532000]", Below: true})
			p.UIDMap, p.GIDMap = is("0 0 1, 1000 1000 1"), is("0 0 65536")
		}, "critical root-capability, note user-namespace", "drop:root-capability"},
		"in a user namespace that maps root's group": {func(p *Process) {
			*p = with(*p, func(t *Thread) { t.Permitted = caps.SetOf(caps.DAC_OVERRIDE, caps.SETGID) })
			p.UserNS = is(UserNS{Name: "user:[4026532000]", Below: true})
			p.UIDMap, p.GIDMap = is("0 1000 1"), is("0 0 65536")
		}, "critical root-capability, note user-namespace", "drop:root-capability"},
		"in a user namespace that maps another account": {func(p *Process) {
			*p = with(*p, func(t *Thread) { t.Permitted = caps.SetOf(caps.DAC_OVERRIDE) })
			p.UserNS = is(UserNS{Name: "user:[4026532000]", Below: true})
			p.UIDMap, p.GIDMap = is("0 1000 2"), is("0 1000 1")
		}, "medium mapped-ids, note user-namespace", "drop:mapped-ids"},
		"in a user namespace that maps itself": {func(p *Process) {
			*p = with(*p, func(t *Thread) { t.Permitted = t.Bounding })
			p.UserNS = is(UserNS{Name: "user:[4026532000]", Below: true})
			p.UIDMap, p.GIDMap = is("0 1000 1"), is("0 1000 1")
		}, "note user-namespace", ""},
		"in a user namespace whose ids are not known": {func(p *Process) {
			*p = with(*p, func(t *Thread) { t.Permitted = caps.SetOf(caps.SETUID) })
			p.UserNS = is(UserNS{Name: "user:[4026532000]", Below: true})
			p.UIDMap = facts.Fact[string]{Reason: "EACCES"}
		}, "critical root-capability, unknown could-not-tell, note user-namespace", "drop:root-capability"},
		"an open file of root": {func(p *Process) {
			p.Open = is([]Open{{FD: 5, Door: &Door{Path: "/etc/shadow", Need: 2, Root: true, Allows: "set root's password"}}})
		}, "high open-door", ""},
		"root's terminal": {func(p *Process) {
			p.Terminals = is([]Terminal{{Path: "/dev/pts/0", FD: -1, Controls: true, Others: []Sitter{{PID: 5}}}})
			p.Typing = is(Typing{Inserts: true})
		}, "high shared-terminal", ""},
		"root's terminal, only to read": {func(p *Process) {
			p.Terminals = is([]Terminal{{Path: "/dev/pts/0", FD: 1, Controls: true, Others: []Sitter{{PID: 5}}}})
		}, "medium shared-terminal", ""},
		"root's terminal without being its controlling one": {func(p *Process) {
			p.Terminals = is([]Terminal{{Path: "/dev/pts/0", FD: 1, Others: []Sitter{{PID: 5}}}})
			p.Typing = is(Typing{Inserts: true, Pastes: true})
		}, "medium shared-terminal", ""},
		"root's virtual console": {func(p *Process) {
			p.Terminals = is([]Terminal{{Path: "/dev/tty1", FD: -1, Controls: true, Virtual: true, Others: []Sitter{{PID: 5}}}})
			p.Typing = is(Typing{Pastes: true})
		}, "high shared-terminal", ""},
		"the other end of root's terminal": {func(p *Process) {
			p.Terminals = is([]Terminal{{Path: "/dev/pts/0", FD: 3, Master: true, Others: []Sitter{{PID: 4, UIDs: same4(7)}, {PID: 5}}}})
		}, "high shared-terminal", ""},
		"another user's terminal": {func(p *Process) {
			p.Terminals = is([]Terminal{{Path: "/dev/pts/0", FD: -1, Controls: true, Others: []Sitter{{PID: 4, UIDs: same4(7)}}}})
			p.Typing = is(Typing{Inserts: true})
		}, "medium shared-terminal", ""},
		"a terminal of its own": {func(p *Process) {
			p.Terminals = is([]Terminal{{Path: "/dev/pts/0", FD: -1, Controls: true}})
			p.Typing = facts.Fact[Typing]{}
		}, "", ""},
		"an io_uring": {func(p *Process) { p.Open = is([]Open{{FD: 5}}) }, "unknown could-not-tell", ""},
		"a folder of root's PATH": {func(p *Process) {
			p.Doors = is([]Door{{Path: "/usr/local/bin", Mode: 0o042775, GID: 1000, Need: 3, Root: true, Allows: pathAllows}})
		}, "high way-to-root", ""},
		"a folder it may only write": {func(p *Process) {
			p.Doors = is([]Door{{Path: "/usr/local/bin", Mode: 0o040765, GID: 7, Need: 3, Root: true, Allows: pathAllows}})
		}, "", ""},
		"root in a user namespace": {func(p *Process) {
			*p = with(*p, func(t *Thread) { t.UIDs, t.Permitted = IDs{}, t.Bounding })
			p.UserNS = is(UserNS{Name: "user:[4026532000]", Below: true})
		}, "critical root, note user-namespace", ""},
		"in a namespace that is not known": {func(p *Process) {
			*p = with(*p, func(t *Thread) { t.Permitted = admin })
			p.UserNS = facts.Fact[UserNS]{Reason: "EACCES"}
		}, "critical root-capability, unknown could-not-tell", "drop:root-capability"},
		"threads differ": {func(p *Process) {
			odd := p.Threads.Value[8]
			odd.Permitted = port
			p.Threads = is(map[int]Thread{7: p.Threads.Value[7], 8: odd})
		}, "high threads-differ, note port-capability", "drop:threads-differ"},
		"threads differ in seccomp": {func(p *Process) {
			odd := p.Threads.Value[8]
			odd.Seccomp = 0
			p.Threads = is(map[int]Thread{7: p.Threads.Value[7], 8: odd})
		}, "high threads-differ, note no-seccomp", ""},
		"threads differ in what they may gain": {func(p *Process) {
			odd := p.Threads.Value[8]
			odd.Bounding = 0
			p.Threads = is(map[int]Thread{7: p.Threads.Value[7], 8: odd})
		}, "medium threads-differ", ""},
		"may gain":       {func(p *Process) { *p = with(*p, func(t *Thread) { t.NoNewPrivs = false }) }, "medium may-gain", "drop:may-gain"},
		"may gain a uid": {func(p *Process) { *p = with(*p, func(t *Thread) { t.NoNewPrivs, t.Bounding = false, 0 }) }, "medium may-gain", "drop:may-gain"},
		"own file":       {func(p *Process) { p.Way.Value[3].UID = 1000 }, "medium writable-executable", "close-file:writable-executable"},
		"own file that grants": {func(p *Process) {
			p.Way.Value[3].UID = 1000
			p.Exe.Caps = is(caps.File{Permitted: port, Version: 2})
		}, "high writable-executable", "close-file:writable-executable"},
		"own file, read-only": {func(p *Process) { p.Way.Value[3].UID, p.Way.Value[3].ReadOnly = 1000, true }, "", ""},
		"own folder":          {func(p *Process) { p.Way.Value[2].UID = 1000 }, "medium writable-executable", ""},
		"own folder, sticky":  {func(p *Process) { p.Way.Value[2].UID, p.Way.Value[2].Mode = 1000, 0o041777 }, "medium writable-executable", ""},
		"sticky folder":       {func(p *Process) { p.Way.Value[2].Mode = 0o041777 }, "", ""},
		"everybody's folder":  {func(p *Process) { p.Way.Value[1].Mode = 0o040777 }, "high writable-executable", "close-file:writable-executable"},
		"everybody's file": {func(p *Process) {
			p.Way.Value[3].Mode = 0o100757
			*p = with(*p, func(t *Thread) { t.Permitted = port })
		}, "critical writable-executable, note port-capability", "close-file:writable-executable"},
		"a group's file":    {func(p *Process) { p.Way.Value[3].Mode, p.Way.Value[3].GID = 0o100775, 5 }, "medium writable-executable", "close-file:writable-executable"},
		"root's group":      {func(p *Process) { p.Way.Value[3].Mode = 0o100775 }, "", ""},
		"a list's file":     {func(p *Process) { p.Way.Value[3].Mode, p.Way.Value[3].ACL = 0o100775, true }, "medium writable-executable", "close-file:writable-executable"},
		"a list that reads": {func(p *Process) { p.Way.Value[3].ACL = true }, "", ""},
		"docker by a list": {func(p *Process) {
			p.Doors = is([]Door{{Path: "/run/docker.sock", Mode: 0o140660, ACL: true, Need: 2, Root: true, Allows: "start a container"}})
		}, "unknown could-not-tell", ""},
		"its group's file": {func(p *Process) { p.Way.Value[3].Mode, p.Way.Value[3].GID = 0o100775, 1000 }, "medium writable-executable", "close-file:writable-executable"},
		"a file that is elsewhere for the reader": {func(p *Process) {
			p.Here = false
			p.Way.Value[3].Mode = 0o100777
			p.Exe.Caps = is(caps.File{Permitted: admin, Version: 2})
			p.Exe.Stat.Value.Mode = 0o104755
		}, "critical writable-executable, high file-capabilities, medium set-id-executable", ""},
		"file capabilities": {func(p *Process) { p.Exe.Caps = is(caps.File{Permitted: admin | port, Version: 2}) }, "high file-capabilities", "setcap:file-capabilities"},
		"an interpreter": {func(p *Process) {
			p.Exe.Caps = is(caps.File{Permitted: port, Version: 2})
			p.Interprets = is(true)
		}, "critical interpreter-capabilities", "setcap:interpreter-capabilities"},
		"a file for the port": {func(p *Process) { p.Exe.Caps = is(caps.File{Permitted: port, Version: 2}) }, "", ""},
		"set-user-ID":         {func(p *Process) { p.Exe.Stat.Value.Mode = 0o104755 }, "medium set-id-executable", "chmod:set-id-executable"},
		"replaced": {func(p *Process) { p.Same, p.Way = is(false), facts.Fact[[]Place]{State: facts.Absent} },
			"medium replaced-executable", ""},
		"replaced in a unit": {func(p *Process) {
			p.Same, p.Way = is(false), facts.Fact[[]Place]{State: facts.Absent}
			p.Unit = is(facts.Unit{Name: "app.service"})
		}, "medium replaced-executable", "restart:replaced-executable"},
		"removed in a unit": {func(p *Process) {
			p.Deleted, p.Same = is(true), facts.Fact[bool]{State: facts.Absent}
			p.Unit = is(facts.Unit{Name: "app.service"})
		}, "medium replaced-executable", ""},
		"from memory": {func(p *Process) {
			p.Path, p.Deleted, p.Same = is("memfd:a"), is(true), facts.Fact[bool]{State: facts.Absent}
			if f, _ := replaced(*p); f.Evidence[0].Says != "runs memfd:a" {
				t.Errorf("%+v", f)
			}
			p.Unit = is(facts.Unit{Name: "app.service"})
		}, "medium replaced-executable", ""},
		"shadow": {func(p *Process) { *p = with(*p, func(t *Thread) { t.Groups = "42 1000" }) }, "medium way-to-root", ""},
		"docker": {func(p *Process) {
			p.Doors = is([]Door{{Path: "/run/docker.sock", Mode: 0o140660, GID: 1000, Need: 2, Root: true, Allows: "start a container"}})
		}, "high way-to-root", ""},
		"docker for all": {func(p *Process) {
			p.Doors = is([]Door{{Path: "/run/docker.sock", Mode: 0o140666, Need: 2, Root: true, Allows: "start a container"}})
		}, "high way-to-root", ""},
		"libvirt, which asks polkit": {func(p *Process) {
			p.Doors = is([]Door{{Path: "/run/libvirt/libvirt-sock", Mode: 0o140666, Need: 2, Root: true, Polkit: true, Allows: "attach disks"}})
		}, "unknown could-not-tell", ""},
		"libvirt for a group": {func(p *Process) {
			p.Doors = is([]Door{{Path: "/run/libvirt/libvirt-sock", Mode: 0o140660, GID: 1000, Need: 2, Root: true, Polkit: true, Allows: "attach disks"}})
		}, "high way-to-root", ""},
		"shut to a group": {func(p *Process) {
			p.Doors = is([]Door{{Path: "/run/docker.sock", Mode: 0o140606, GID: 1000, Need: 2, Root: true, Allows: "start a container"}})
		}, "", ""},
		"an extra listener": {func(p *Process) {
			p.Listens.Value = append(p.Listens.Value, Listen{Network: "tcp", Addr: netip.MustParseAddrPort("0.0.0.0:6060")})
		}, "medium extra-listener", ""},
		"an extra listener, unknown threshold": {func(p *Process) {
			p.Listens.Value = append(p.Listens.Value, Listen{Network: "tcp", Addr: netip.MustParseAddrPort("0.0.0.0:6060")})
			p.PortStart = facts.Fact[int]{Reason: "EPERM"}
		}, "unknown could-not-tell", ""},
		"sockets of a client": {func(p *Process) {
			p.Listens.Value = append(p.Listens.Value, Listen{Network: "udp", Addr: netip.MustParseAddrPort("0.0.0.0:40123")}, Listen{Network: "tcp", Addr: netip.MustParseAddrPort("127.0.0.1:6060")})
		}, "", ""},
		"high ports alone": {func(p *Process) {
			p.Listens = is([]Listen{{Network: "tcp", Addr: netip.MustParseAddrPort("[::]:8080")}, {Network: "tcp", Addr: netip.MustParseAddrPort("[::]:8081")}})
		}, "", ""},
		"securebits":       {func(p *Process) { p.Securebits = is(caps.KeepCaps) }, "note securebits", ""},
		"unknown sockets":  {func(p *Process) { p.Listens = facts.Fact[[]Listen]{Reason: "EACCES"} }, "unknown could-not-tell", ""},
		"unknown folders":  {func(p *Process) { p.Way = facts.Fact[[]Place]{Reason: "EACCES"} }, "unknown could-not-tell", ""},
		"nothing is known": {func(p *Process) { *p = Process{PID: 7} }, "unknown could-not-tell", ""},
	} {
		t.Run(name, func(t *testing.T) {
			p := clean()
			c.change(&p)
			var got, fixes []string
			for _, f := range Findings(p) {
				got = append(got, string(f.Severity)+" "+f.ID)
				if f.Summary == "" || f.Allows == "" || f.Helps == "" || len(f.Evidence) == 0 {
					t.Errorf("%s: something is left out: %+v", f.ID, f)
				}
				for _, e := range f.Evidence {
					if e.Source == "" && p.PID != 0 && f.ID != "could-not-tell" || e.Name == "" || e.Says == "" {
						t.Errorf("%s: evidence without source: %+v", f.ID, e)
					}
				}
			}
			for _, f := range Fixes(p) {
				fixes = append(fixes, f.ID+":"+strings.Join(f.Ends, ","))
			}
			if s := strings.Join(got, ", "); s != c.want {
				t.Errorf("found %q, not %q", s, c.want)
			}
			if s := strings.Join(fixes, " "); s != c.fixes {
				t.Errorf("fixes %q, not %q", s, c.fixes)
			}
		})
	}
}

// Whatever is not known, the process is never clean.
func TestNeverClean(t *testing.T) {
	for name, hide := range map[string]func(*Process){
		"threads":   func(p *Process) { p.Threads = facts.Fact[map[int]Thread]{} },
		"terminals": func(p *Process) { p.Terminals = facts.Fact[[]Terminal]{} },
		"who may type": func(p *Process) {
			p.Terminals = is([]Terminal{{Path: "/dev/pts/0", FD: -1, Controls: true, Others: []Sitter{{PID: 5}}}})
			p.Typing = facts.Fact[Typing]{}
		},
		"descriptors":     func(p *Process) { p.Open = facts.Fact[[]Open]{} },
		"root's programs": func(p *Process) { p.RootRuns = facts.Fact[bool]{} },
		"user namespace":  func(p *Process) { p.UserNS = facts.Fact[UserNS]{} },
		"sockets":         func(p *Process) { p.Listens = facts.Fact[[]Listen]{} },
		"program":         func(p *Process) { p.Path = facts.Fact[string]{} },
		"xattr":           func(p *Process) { p.Exe.Caps = facts.Fact[caps.File]{} },
		"mode":            func(p *Process) { p.Exe.Stat = facts.Fact[facts.Stat]{} },
		"same":            func(p *Process) { p.Same = facts.Fact[bool]{} },
		"way":             func(p *Process) { p.Way = facts.Fact[[]Place]{} },
		"doors":           func(p *Process) { p.Doors = facts.Fact[[]Door]{} },
		"no doors":        func(p *Process) { p.Doors = facts.Fact[[]Door]{State: facts.Absent, Reason: "ENODATA"} },
		"no mode":         func(p *Process) { p.Exe.Stat = facts.Fact[facts.Stat]{State: facts.Absent, Reason: "ENODATA"} },
	} {
		p := clean()
		hide(&p)
		if w := Worst(Findings(p)); !w.Above(Note) {
			t.Errorf("%s: %s", name, w)
		}
		if name == "threads" && !p.Concerns() || name == "sockets" && !p.Concerns() {
			t.Errorf("%s: not on the list", name)
		}
	}
}

func TestConcerns(t *testing.T) {
	p := clean()
	if !p.Concerns() {
		t.Error("it listens on 443")
	}
	p.Listens = is([]Listen{})
	if p.Concerns() {
		t.Error("it holds nothing")
	}
	for name, change := range map[string]func(*Thread){
		"permitted": func(t *Thread) { t.Permitted = port }, "inheritable": func(t *Thread) { t.Inheritable = port }, "root": func(t *Thread) { t.UIDs.Saved = 0 },
	} {
		if q := with(p, change); !q.Concerns() {
			t.Error(name)
		}
	}
}

// Every capability that this module knows has a word on what it allows.
func TestPowers(t *testing.T) {
	for c := range caps.UpTo(caps.Last).All() {
		if powers[c].allows == "" {
			t.Errorf("%v", c)
		}
	}
	if len(powers) != int(caps.Last)+1 {
		t.Errorf("%d powers", len(powers))
	}
}

// An interpreter that chown took the capabilities from is not given them again.
func TestInterpreterNotStamped(t *testing.T) {
	p := clean()
	p.Interprets = is(true)
	p.Way.Value[3].Path, p.Way.Value[3].UID = p.Path.Value, 1000
	p.Exe.Caps = is(caps.File{Permitted: port, Version: 2})
	for _, f := range Fixes(p) {
		for _, s := range f.Steps {
			if strings.HasPrefix(s.Run, "setcap cap_") {
				t.Errorf("%s: %s", f.ID, s.Run)
			}
		}
	}
}

// A unit whose program leaves root by itself, or gets its socket from systemd, is
// neither given a capability nor kept from leaving root.
func TestShutIn(t *testing.T) {
	p := with(clean(), func(t *Thread) { t.NoNewPrivs = false })
	p.Unit = is(facts.Unit{Name: "app.service"})
	fixes := Fixes(p)
	if len(fixes) == 0 || fixes[0].ID != "systemd-drop-in" || !slices.Equal(fixes[0].Ends, []string{"may-gain"}) {
		t.Fatalf("%+v", fixes)
	}
	const confined = "[Service]\nNoNewPrivileges=yes\n"
	if got := fixes[0].Steps[0].Content; got != confined {
		t.Errorf("%s", got)
	}
	p = with(p, func(t *Thread) { t.Permitted, t.Inheritable, t.Ambient = port, port, port }) // setpriv gave it
	if got := Fixes(p)[0].Steps[0].Content; got != confined {
		t.Errorf("%s", got)
	}
	p.Direct = true // the unit did
	if got := Fixes(p)[0].Steps[0].Content; got == confined {
		t.Errorf("%s", got)
	}
}

// No name can inject a command.
func TestHostileNames(t *testing.T) {
	p := clean()
	p.Path = is("/srv/app/$(touch /tmp/pwned)\n;\x1b[31m")
	p.Way.Value[3] = Place{Path: p.Path.Value, Mode: 0o100777}
	p.Exe.Caps = is(caps.File{Permitted: caps.SetOf(caps.SYS_ADMIN), Version: 2})
	p.Exe.Stat.Value.Mode = 0o106755
	p.Unit = is(facts.Unit{Name: "a;reboot.service"})
	fixes := Fixes(p)
	if len(fixes) < 3 {
		t.Fatalf("%+v", fixes)
	}
	for _, f := range fixes {
		for _, s := range f.Steps {
			if strings.ContainsAny(s.Run, "\n\x1b") || strings.Contains(s.Run, " $(") || strings.Contains(s.Run, "reboot") {
				t.Errorf("%s: %q", f.ID, s.Run)
			}
		}
	}
	if ids := []string{fixes[0].ID}; slices.Contains(ids, "systemd-drop-in") {
		t.Error("a drop-in for what is no unit")
	}
}
