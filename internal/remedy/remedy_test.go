package remedy

import (
	"net/netip"
	"os/exec"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/guard/report"
	"github.com/lowport/lowport/internal/diff"
	"github.com/lowport/lowport/internal/facts"
	"github.com/lowport/lowport/internal/kernel"
	"github.com/lowport/lowport/internal/term/termtest"
)

func known[T any](v T) facts.Fact[T] { return facts.Fact[T]{}.Now(v) }
func none[T any]() facts.Fact[T]     { return facts.Fact[T]{}.None() }

var (
	bind    = caps.SetOf(caps.NET_BIND_SERVICE)
	low     = kernel.Goal{Network: "tcp", Port: 443, Inherit: true}
	require = kernel.Goal{Require: caps.SetOf(caps.NET_ADMIN)}
)

// app is a program that an ordinary user started from a shell, with nothing.
func app(changes ...func(*facts.Facts)) facts.Facts {
	nothing := caps.State{Bounding: caps.UpTo(caps.Last)}
	image := facts.Image{Caps: none[caps.File](), Stat: known(facts.Stat{Mode: 0o100755, UID: 1000}), Nosuid: known(false)}
	f := facts.Facts{
		Proc: facts.Proc{
			Thread: known(nothing), Threads: known(map[int]caps.State{7: nothing}),
			IDs: known(facts.IDs{UID: 1000, EUID: 1000, GID: 1000, EGID: 1000}), TracerPid: known(0),
		},
		Launcher: facts.Launcher{
			Unit: none[facts.Unit](), Container: none[string](),
			Operator: known(facts.Operator{PID: 9, UID: 1000, SameNet: true, SamePID: true, SameRoot: true}),
		},
		File: facts.File{
			Path: known("/srv/app"), Deleted: known(false), Exe: image, Installed: image,
			Moved:      facts.Image{Stat: none[facts.Stat](), Nosuid: known(false)},
			MountPoint: known("/srv"), IdmappedThere: known(false),
		},
		Net: facts.Net{
			UIDMap: known("0 0 4294967295"), Owner: known(facts.OwnerHere), PortStart: known(1024), Sockets: known([]facts.Socket{}),
			Addresses: known([]netip.Addr{netip.MustParseAddr("192.0.2.1")}), Nonlocal: known(false),
		},
		Command: facts.Command{
			Args: known([]string{"app", "-v"}), Cwd: known("/home/app"), CwdNosuid: known(false),
			Package: known("example.com/app"), User: known("app"),
		},
	}
	for _, change := range changes {
		change(&f)
	}
	return f
}

func mode(m uint32) func(*facts.Facts) {
	return func(f *facts.Facts) { f.File.Installed.Stat = known(facts.Stat{Mode: m}) }
}

func withheld(f *facts.Facts) { f.Policy.Withheld = known(bind) }
func profiled(f *facts.Facts) { f.Policy.Label = known("/srv/app (enforce)") }

func inAnother(f *facts.Facts) {
	f.Net.Apart, f.Launcher.Operator.Value.SameNet = known(true), false
}

// sandbox is a pid namespace whose process 1 started the program.
func sandbox(f *facts.Facts) {
	f.Launcher.Sandbox, f.Net.Apart, f.Launcher.Operator = known(true), facts.Fact[bool]{}, facts.Fact[facts.Operator]{}
}

func setgid(f *facts.Facts) {
	f.Proc.IDs.Value.EGID = 7
	f.Kernel.Release = known(facts.Release{Major: 6, Minor: 18})
	f.File.Exe.Stat = known(facts.Stat{Mode: 0o102755, GID: 7})
	f.File.Installed.Stat = f.File.Exe.Stat
}

func refusedProbes(f *facts.Facts) {
	f.Policy.Probes = known([]facts.Probe{{Network: "tcp4", Errno: "EACCES"}, {Network: "tcp6", Errno: "EACCES"}})
}

func held(s facts.Socket) func(*facts.Facts) {
	s.Network, s.Addr, s.Listen = "tcp", netip.MustParseAddrPort("0.0.0.0:443"), true
	return func(f *facts.Facts) { f.Net.Sockets = known([]facts.Socket{s}) }
}

func line(all ...facts.Forebear) func(*facts.Facts) {
	return func(f *facts.Facts) { f.Launcher.Line = known(all) }
}

func thread(change func(*caps.State)) func(*facts.Facts) {
	return func(f *facts.Facts) {
		change(&f.Proc.Thread.Value)
		f.Proc.Threads = known(map[int]caps.State{7: f.Proc.Thread.Value})
	}
}

func unit(f *facts.Facts) {
	f.Launcher.Unit, f.Launcher.UserNamed, f.Proc.Parent = known(facts.Unit{Name: "app.service"}), known(true), known(1)
	f.Launcher.Init = known(caps.State{Permitted: caps.UpTo(caps.Last), Effective: caps.UpTo(caps.Last), Bounding: caps.UpTo(caps.Last)})
}
func userUnit(f *facts.Facts) { f.Launcher.Unit = known(facts.Unit{Name: "app.service", User: true}) }
func docker(f *facts.Facts)   { f.Launcher.Container = known("docker") }
func nosuid(f *facts.Facts)   { f.File.Installed.Nosuid = known(true) }
func outside(f *facts.Facts) {
	f.Net.Owner, f.Net.UIDMap = known(facts.OwnerOutside), known("0 1000 1")
}

// fromParent has the user namespace made by what the operator started: inside the user is root.
func fromParent(f *facts.Facts) {
	f.Proc.IDs = known(facts.IDs{})
	f.Net.GIDMap = f.Net.UIDMap
	thread(func(s *caps.State) { s.Permitted, s.Effective = s.Bounding, s.Bounding })(f)
	f.Launcher.Operator.Value.OtherUsers, f.Launcher.Operator.Value.Bounding = true, caps.UpTo(caps.Last)
}

func ambientRoom(s *caps.State)   { s.NoNewPrivs = true }
func noBounding(s *caps.State)    { s.Bounding = 0 }
func noAttributes(f *facts.Facts) { f.File.Installed.Caps.Reason = "EOPNOTSUPP" }
func stamped1(f *facts.Facts) {
	f.File.Installed.Caps = known(caps.File{Version: 2, Permitted: bind})
}
func goRunFile(f *facts.Facts)  { f.File.Path = known("/tmp/go-build123/b001/exe/app") }
func goRunCache(f *facts.Facts) { f.File.Path = known("/c/b8/" + strings.Repeat("ab", 32) + "-d/app") }
func holds(f *facts.Facts) {
	thread(func(s *caps.State) { s.Permitted, s.Effective = bind, bind })(f)
}

// fixesOf are the fixes of a guarded program that was refused.
func fixesOf(f facts.Facts, goals ...kernel.Goal) []report.Fix {
	var cases []Case
	for _, g := range goals {
		g.Raises = true
		cases = append(cases, Case{g, kernel.Worlds(&f, g)})
	}
	return Fixes(cases...)
}

// What is proposed, by the way the program was started and what is in the way.
func TestFixes(t *testing.T) {
	for _, tt := range []struct {
		name string
		f    facts.Facts
		g    kernel.Goal
		want string
	}{
		{"shell", app(), low, "setcap setpriv sysctl"},
		{"unit", app(unit), low, "systemd-drop-in systemd-socket setcap sysctl"},
		{"unit of systemd-run", app(unit, func(f *facts.Facts) { f.Launcher.Unit.Value.Transient = true }), low, "ambient setcap sysctl"},
		{"a root of its own", app(func(f *facts.Facts) { f.File.PathSeenByOperator = known("/srv/jail/app") }), low, "setcap sysctl"},
		{"a root of its own, somewhere", app(func(f *facts.Facts) { f.File.PathSeenByOperator = facts.Fact[string]{State: facts.Absent} }), low, "sysctl"},
		{"a read-only mount", app(func(f *facts.Facts) { f.File.ReadOnlyThere = known(true) }), low, "setpriv move sysctl"},
		{"a read-only mount, process 1 hidden", app(func(f *facts.Facts) { f.File.Installed.Frozen = known(true) }), low, "setpriv move sysctl"},
		{"a unit's read-only mount, process 1 hidden", app(unit, func(f *facts.Facts) { f.File.Installed.Frozen = known(true) }), low, "systemd-drop-in systemd-socket setcap sysctl"},
		{"a read-only mount here alone", app(func(f *facts.Facts) { f.File.ReadOnlyThere, f.File.Installed.Frozen = known(false), known(true) }), low, "setcap setpriv sysctl"},
		{"a read-only mount, and no other place", app(func(f *facts.Facts) { f.File.ReadOnlyThere, f.File.Moved.Frozen = known(true), known(true) }), low, "setpriv sysctl"},
		{"a unit's own network", app(unit, inAnother, func(f *facts.Facts) { f.Net.Name = none[string]() }), low, "systemd-drop-in systemd-socket setcap"},
		{"a user who is another outside", app(func(f *facts.Facts) { f.Net.UIDMap = known("0 100000 65536") }), low, "setcap sysctl"},
		{"unit of a wrapper", app(unit, func(f *facts.Facts) { f.Proc.Parent = known(9) }), low, "systemd-drop-in setcap sysctl"},
		{"unit, its parent not to be seen", app(unit, func(f *facts.Facts) { f.Proc.Parent = facts.Fact[int]{} }), low, "systemd-drop-in setcap sysctl"},
		{"unit of a systemd that is not root", app(unit, func(f *facts.Facts) { f.Launcher.Init = known(caps.State{}) }), low, "setcap sysctl"},
		{"unit, process 1 not to be seen", app(unit, func(f *facts.Facts) { f.Launcher.Init = facts.Fact[caps.State]{} }), low, "systemd-drop-in setcap sysctl"},
		{"unit, SELinux enforces", app(unit, func(f *facts.Facts) { f.Policy.Enforcing = known(true) }), low, "systemd-drop-in setcap sysctl"},
		{"unit whose program takes no socket", app(unit), kernel.Goal{Network: "tcp", Port: 443}, "systemd-drop-in setcap sysctl"},
		{"unit with a link-local address", app(unit), kernel.Goal{Network: "tcp", Port: 443, Inherit: true, Addr: netip.MustParseAddr("fe80::1%eth0"), Takes: true}, "systemd-drop-in setcap sysctl"},
		{"unit in a foreign namespace", app(unit, outside), low, "sysctl"},
		{"unit with PrivateUsers=", app(unit, outside, func(f *facts.Facts) { f.Net.UIDMap = known("0 0 1, 1000 1000 1") }), low, "systemd-drop-in systemd-socket sysctl"},
		{"user unit", app(userUnit), low, "setcap sysctl"},
		{"stamped since", app(stamped1), low, "restart setpriv sysctl"},
		{"go run", app(goRunFile), low, "build sysctl"},
		{"go run from the cache", app(goRunCache), low, "build sysctl"},
		{"nosuid", app(nosuid, stamped1), low, "setpriv move remount sysctl"},
		{"no_new_privs", app(thread(ambientRoom)), low, "setpriv sysctl"},
		{"no_new_privs, unit", app(thread(ambientRoom), unit), low, "systemd-drop-in systemd-socket sysctl"},
		{"bounding set without it", app(thread(noBounding)), low, "sysctl"},
		{"foreign namespace", app(outside), low, "sysctl"},
		{"foreign namespace in a container", app(outside, docker), low, "sysctl"},
		{"writable by all", app(mode(0o100777)), low, "setpriv sysctl"},
		{"writable by a group", app(mode(0o100775)), low, "setpriv sysctl"},
		{"writable by all, in an image", app(mode(0o100777), docker), low, "container compose"},
		{"writable by all, on nosuid", app(mode(0o100777), nosuid), low, "setpriv sysctl"},
		{"no attributes here", app(noAttributes), low, "setpriv move sysctl"},
		{"another network namespace", app(inAnother), low, "setcap"},
		{"another network namespace, with a name", app(inAnother, func(f *facts.Facts) { f.Net.Name = known("lan") }), low, "setcap setpriv sysctl"},
		{"a network namespace with a name, process 1 hidden", app(func(f *facts.Facts) {
			f.Net.Name, f.Launcher.Operator = known("-lan"), facts.Fact[facts.Operator]{}
		}), low, "setcap"},
		{"a mount that may be idmapped", app(func(f *facts.Facts) { f.File.IdmappedThere = facts.Fact[bool]{Reason: "EACCES"} }), low, "setpriv sysctl"},
		{"a mount of an old recording", app(func(f *facts.Facts) { f.File.IdmappedThere = facts.Fact[bool]{Reason: facts.NotRecorded} }), low, "setcap setpriv sysctl"},
		{"an idmapped mount", app(func(f *facts.Facts) { f.File.IdmappedThere = known(true) }), low, "setpriv move sysctl"},
		{"a shell in a network namespace of its own", app(func(f *facts.Facts) { f.Net.Apart = known(true) }), low, "setcap setpriv sysctl"},
		{"no setpriv but BusyBox's", app(func(f *facts.Facts) { f.Launcher.Tools = known(facts.Tools{Sudo: true}) }), low, "setcap sysctl"},
		{"a bounding set that the shell does not have", app(thread(noBounding), func(f *facts.Facts) {
			f.Launcher.Operator.Value.Bounding = caps.UpTo(caps.Last)
		}), low, "setpriv sysctl"},
		{"a sandbox whose network is not known", app(sandbox), low, "setcap"},
		{"a sandbox in the machine's network", app(sandbox, func(f *facts.Facts) { f.Net.Apart = known(false) }), low, "setcap"},
		{"a sandbox in a network with a name", app(sandbox, func(f *facts.Facts) { f.Net.Name = known("lan") }), low, "setcap sysctl"},
		{"a shell in a sandbox", app(sandbox, func(f *facts.Facts) {
			f.Launcher.Operator = known(facts.Operator{PID: 1, UID: 1000, SameNet: true, SamePID: true, SameRoot: true})
		}), low, "setcap setpriv sysctl"},
		{"a shell whose /proc has no sysctls", app(func(f *facts.Facts) { f.Launcher.Operator.Value.NoSysctl = true }), low, "setcap setpriv"},
		{"unit in a network namespace whose name is hidden", app(unit, inAnother, func(f *facts.Facts) { f.Net.Name = facts.Fact[string]{} }), low, "systemd-drop-in setcap"},
		{"another network namespace, with a name like an option", app(inAnother, func(f *facts.Facts) { f.Net.Name = known("-all") }), low, "setcap"},
		{"unit in a network namespace with an odd name", app(unit, inAnother, func(f *facts.Facts) { f.Net.Name = known("a b") }), low, "systemd-drop-in setcap sysctl"},
		{"another network namespace, and not ours yet", app(holds, inAnother), kernel.Goal{Network: "tcp", Port: 443, Inherit: true, Addr: netip.MustParseAddr("192.0.2.9")}, "every-address"},
		{"a program that the operator cannot reach, on a nosuid mount", app(nosuid, func(f *facts.Facts) {
			f.File.PathSeenByOperator, f.Launcher.Operator.Value.SameNet, f.Net.Apart = none[string](), false, known(true)
		}), low, "launcher"},
		{"a foreign namespace of its starter's own", app(outside, fromParent), low, "setpriv sysctl"},
		{"a foreign namespace whose root is root's", app(outside, fromParent, func(f *facts.Facts) { f.Net.UIDMap = known("0 0 1") }), low, "sysctl"},
		{"a foreign namespace with a network of its own", app(outside, fromParent, func(f *facts.Facts) {
			f.Launcher.Operator.Value.SameNet, f.Net.Apart = false, known(true)
		}), low, ""},
		{"an effective bit that the bounding set does not allow", app(thread(func(s *caps.State) { s.Bounding = caps.SetOf(caps.NET_ADMIN) }), func(f *facts.Facts) {
			f.File.Installed.Caps = known(caps.File{Version: 2, Permitted: caps.SetOf(caps.NET_RAW)})
			f.File.Exe.Caps = f.File.Installed.Caps
		}), require, "setcap"},
		{"file capabilities switched off", app(func(f *facts.Facts) { f.Kernel.NoFile = known(true) }), low, "setpriv sysctl"},
		{"setgid file", app(setgid), low, "setcap sysctl"},
		{"file gone", app(func(f *facts.Facts) { f.File.Installed.Stat = none[facts.Stat]() }), low, "sysctl"},
		{"setuid program of another user", app(func(f *facts.Facts) { f.Proc.IDs.Value.EUID = 33 }), low, "setcap sysctl"},
		{"taken by a service", app(holds, held(facts.Socket{Cgroup: "/system.slice/nginx.service", UID: 33})), low, "stop-owner"},
		{"taken by a process", app(holds, held(facts.Socket{PID: 77, UID: 33})), low, "stop-owner"},
		{"taken by process 1", app(holds, held(facts.Socket{PID: 1, Cgroup: "/init.scope"})), low, ""},
		{"taken by process 1 for a unit", app(holds, held(facts.Socket{PID: 1, Cgroup: "/system.slice/web.socket"})), low, "stop-owner"},
		{"taken by process 1, which is hidden", app(holds, held(facts.Socket{Inode: 5, Cgroup: "/init.scope"})), low, ""},
		{"taken by a container's service", app(holds, held(facts.Socket{Cgroup: "/system.slice/docker-1.scope/system.slice/web.service"})), low, ""},
		{"taken for a container", app(holds, held(facts.Socket{Cgroup: "/system.slice/docker.service", Inode: 5})), low, "stop-owner"},
		{"taken by a service of a slice", app(holds, held(facts.Socket{Cgroup: "/web.slice/web-a.slice/web.service"})), low, "stop-owner"},
		{"taken by the user's own service", app(holds, held(facts.Socket{UID: 1000, Cgroup: "/user.slice/user-1000.slice/user@1000.service/app.slice/web.service"})), low, "stop-owner"},
		{"taken by another user's service", app(holds, held(facts.Socket{UID: 7, Cgroup: "/user.slice/user-7.slice/user@7.service/app.slice/web.service", Inode: 5})), low, "stop-owner"},
		{"taken by our own unit", app(unit, holds, held(facts.Socket{PID: 77, Cgroup: "/system.slice/app.service"})), low, "stop-owner"},
		{"taken by our parent", app(holds, held(facts.Socket{PID: 77}), func(f *facts.Facts) { f.Proc.Parent = known(77) }), low, ""},
		{"taken by whoever started our parent, too", app(holds, held(facts.Socket{PID: 70, Also: []int{76}}), line(facts.Forebear{PID: 77}, facts.Forebear{PID: 76})), low, ""},
		{"taken by a hidden process, perhaps our supervisor", app(holds, held(facts.Socket{Inode: 5}), line(facts.Forebear{PID: 76, UID: 0})), low, ""},
		{"taken by a hidden process, and sudo started us", app(holds, held(facts.Socket{Inode: 5}), line(facts.Forebear{PID: 76, UID: 0, Launches: true}, facts.Forebear{PID: 1})), low, "stop-owner"},
		{"taken by process 1 for a unit, and process 1 started us", app(holds, held(facts.Socket{PID: 1, Cgroup: "/system.slice/web.socket"}), func(f *facts.Facts) { f.Proc.Parent = known(1) }), low, "stop-owner"},
		{"taken by nobody that root sees", app(holds, held(facts.Socket{Inode: 5}), func(f *facts.Facts) { f.Proc.IDs = known(facts.IDs{}) }), low, ""},
		{"taken by somebody whom root sees", app(holds, held(facts.Socket{PID: 77, Inode: 5}), func(f *facts.Facts) { f.Proc.IDs = known(facts.IDs{}) }), low, "stop-owner"},
		{"taken by us", app(holds, held(facts.Socket{PID: 7, Self: true})), low, ""},
		{"taken by nobody to be seen", app(holds, held(facts.Socket{UID: 33})), low, ""},
		{"taken and not allowed", app(held(facts.Socket{PID: 77})), low, "stop-owner+setcap stop-owner+setpriv stop-owner+sysctl"},
		{"a profile withholds it", app(holds, withheld, profiled), low, "profile sysctl"},
		{"a profile withholds it, and the kernel lacks the family", app(holds, withheld, profiled, func(f *facts.Facts) {
			f.Policy.Probes = known([]facts.Probe{{Network: "tcp4"}, {Network: "tcp6", Errno: "EAFNOSUPPORT"}})
		}), kernel.Goal{Network: "tcp6", Port: 443, Inherit: true}, ""},
		{"a profile that only complains", app(holds, withheld, func(f *facts.Facts) { f.Policy.Label = known("app (complain)") }), low, "sysctl"},
		{"a profile refuses TCP", app(holds, profiled, refusedProbes), low, "profile"},
		{"a profile and what it hides", app(profiled, refusedProbes), low, "setcap+profile profile+setpriv profile+sysctl"},
		{"a profile and what it hides, in a unit", app(profiled, refusedProbes, unit), low, "profile+systemd-drop-in profile+systemd-socket profile+setcap profile+sysctl"},
		{"not ours yet", app(holds), kernel.Goal{Network: "tcp", Port: 443, Inherit: true, Addr: netip.MustParseAddr("192.0.2.9")}, "nonlocal-bind"},
		{"require", app(), require, "setcap setpriv"},
		{"require, foreign namespace", app(outside), require, ""},
		{"require in a unit", app(unit), require, "systemd-drop-in setcap"},
		{"nothing known", facts.Facts{}, low, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var ids []string
			for _, fix := range fixesOf(tt.f, tt.g) {
				ids = append(ids, fix.ID)
			}
			if diff := diff.Of(strings.Fields(tt.want), ids); diff != "" && tt.want+strings.Join(ids, "") != "" {
				t.Error(diff)
			}
		})
	}
}

// Over every pair of obstacles: what is printed makes the rules allow, and what
// must never be printed is not.
func TestFixesOverPairs(t *testing.T) {
	changes := []func(*facts.Facts){
		func(*facts.Facts) {}, unit, userUnit, docker, nosuid, outside, stamped1, goRunFile, goRunCache, noAttributes,
		mode(0o100777), mode(0o100775), thread(ambientRoom), thread(noBounding), holds,
		func(f *facts.Facts) { profiled(f); refusedProbes(f) },
		held(facts.Socket{PID: 1}), held(facts.Socket{PID: 77}),
		func(f *facts.Facts) { f.Proc.IDs = known(facts.IDs{}) },
		func(f *facts.Facts) { f.Proc.TracerPid = known(9) },
		func(f *facts.Facts) { f.File.Installed.Caps = facts.Fact[caps.File]{Reason: "EACCES"} },
		func(f *facts.Facts) { f.Net.Owner = facts.Fact[facts.Owner]{Reason: "ENOSYS"} },
		func(f *facts.Facts) { f.Net.Sockets = facts.Fact[[]facts.Socket]{Reason: "EPERM"} },
	}
	printed := 0
	for _, a := range changes {
		for _, b := range changes {
			for _, g := range []kernel.Goal{low, require} {
				f := app(a, b)
				g.Raises = true
				for _, fix := range fixesOf(f, g) {
					printed++
					for _, after := range kernel.Likeliest(kernel.Worlds(&f, g)) {
						all := candidates(after, g)
						for id := range strings.SplitSeq(fix.ID, "+") {
							i := slices.IndexFunc(all, func(c candidate) bool { return c.ID == id })
							after = all[i].change(after)
						}
						if !after.Allows(g) {
							t.Errorf("%s does not help: %+v", fix.ID, f)
						}
					}
					start, _ := again(&f)
					for i, s := range fix.Steps {
						if last := i == len(fix.Steps)-1; !last && (s.Start != "" || s == start) {
							t.Errorf("%s starts the program and goes on: %+v", fix.ID, fix.Steps)
						}
						line := s.Run + s.Start + s.Content
						mode := f.File.Installed.Stat.Value.Mode
						switch {
						case strings.Contains(line, "setcap") && mode&0o022 != 0 && fix.ID != "build":
							t.Errorf("stamps a file of mode %#o: %s", mode, line)
						case strings.Contains(line, "setcap") && facts.GoRun(f.File.Path.Value) && strings.Contains(line, f.File.Path.Value):
							t.Errorf("stamps go run's file: %s", line)
						case fix.Scope != "host" && f.Net.Owner.Value == facts.OwnerOutside && g.Network != "":
							t.Errorf("does not reach the owner of the network namespace: %s", line)
						case strings.HasSuffix(line, "kill 1"):
							t.Errorf("kills process 1: %s", line)
						case (s.Run != "") == (s.Start != "") && s.Write == "" && s.Edit == "":
							t.Errorf("a step is not one thing: %+v", s)
						}
					}
				}
			}
		}
	}
	if printed < 100 {
		t.Errorf("%d fixes only: this test sees little", printed)
	}
}

// Whatever a path, an argument or a name holds, a command is the words that
// were meant, and nothing else.
func TestHostileCommands(t *testing.T) {
	sh := []string{"sh", "-c"}
	for _, nasty := range termtest.Hostile {
		if strings.HasSuffix(nasty, "\n") {
			continue // TestQuote has these: not every sh can
		}
		exe := path.Join("/srv", "x"+strings.ReplaceAll(nasty, "/", "_"))
		hurt := func(f *facts.Facts) {
			f.File.Path, f.Command.Args, f.Command.User = known(exe), known([]string{"app", nasty, "--"}), known("u"+nasty)
			f.File.MountPoint, f.Command.Cwd = known(exe), known(exe)
		}
		want := map[string][]string{
			"setcap":  {"sudo", "setcap", "cap_net_bind_service=+p", exe},
			"setpriv": {"sudo", "-E", "setpriv", "--reuid=u" + nasty, "--regid=1000", "--init-groups", "--inh-caps=+net_bind_service", "--ambient-caps=+net_bind_service", "--", exe, nasty, "--"},
			"sysctl":  {"sudo", "sysctl", "-w", "net.ipv4.ip_unprivileged_port_start=443"},
			"move":    {"sudo", "install", "-m", "755", exe, "/usr/local/bin/" + path.Base(exe)},
			"remount": {"sudo", "mount", "-o", "remount,bind,suid", exe},
			"restart": {exe, nasty, "--"},
			"build":   {"go", "build", "-o", path.Join(exe, "bin/app"), "example.com/app"},
		}
		for _, f := range []facts.Facts{app(hurt), app(hurt, nosuid, stamped1), app(hurt, stamped1), app(hurt, goRunFile)} {
			for _, fix := range fixesOf(f, low) {
				line := fix.Steps[0].Run + fix.Steps[0].Start
				out, err := exec.Command(sh[0], sh[1], `printf '%s\0' `+line).CombinedOutput()
				if err != nil {
					t.Fatalf("%q: %v: %s", line, err, out)
				}
				got := strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00")
				if diff := diff.Of(want[fix.ID], got); diff != "" {
					t.Errorf("%s: %q:\n%s", fix.ID, line, diff)
				}
			}
		}
	}
}

// Other ambient capabilities stay: a file's capabilities would clear them, and a start without
// them would lack them. Those of a user namespace do not go over into the one outside.
func TestKeepsAmbient(t *testing.T) {
	raw := caps.SetOf(caps.NET_RAW)
	withRaw := func(f *facts.Facts) {
		s := &f.Proc.Thread.Value
		s.Inheritable, s.Permitted, s.Effective, s.Ambient = raw, raw, raw, raw
		f.Proc.Threads = known(map[int]caps.State{7: *s})
	}
	fromOutside := func(f *facts.Facts) {
		f.Launcher.Operator.Value.OtherUsers, f.Launcher.Operator.Value.Bounding = true, caps.UpTo(caps.Last)
		f.Net.UIDMap, f.Net.GIDMap = known("1000 1000 1"), known("1000 1000 1")
	}
	for _, tt := range []struct {
		facts facts.Facts
		want  map[string]string
	}{
		{app(withRaw), map[string]string{"setcap": "cap_net_bind_service,cap_net_raw=+ep", "setpriv": "--ambient-caps=+net_bind_service,+net_raw"}},
		{app(withRaw, outside, fromOutside), map[string]string{"setpriv": "--ambient-caps=+net_bind_service --"}},
	} {
		for _, fix := range fixesOf(tt.facts, kernel.Goal{Network: "tcp", Port: 443}) {
			text := fix.Steps[0].Run + fix.Steps[0].Start
			if tt.want[fix.ID] != "" && !strings.Contains(text, tt.want[fix.ID]) {
				t.Errorf("%s: %s", fix.ID, text)
			}
			delete(tt.want, fix.ID)
		}
		if len(tt.want) > 0 {
			t.Errorf("not printed: %v", tt.want)
		}
	}
}

// Whoever moves the program starts it as its user, and in its network.
func TestMoveStarts(t *testing.T) {
	nosuid := func(f *facts.Facts) {
		stamped := caps.File{Version: 2, Permitted: caps.SetOf(caps.NET_BIND_SERVICE)}
		f.File.Exe.Nosuid, f.File.Installed.Nosuid = known(true), known(true)
		f.File.Exe.Caps, f.File.Installed.Caps = known(stamped), known(stamped)
	}
	for _, tt := range []struct {
		name   string
		change func(*facts.Facts)
		want   string // the start, "" for no such fix
	}{
		{"by the user", func(*facts.Facts) {}, "/usr/local/bin/app -v"},
		{"by root", func(f *facts.Facts) { f.Launcher.Operator.Value.UID = 0 },
			"sudo -E setpriv --reuid=app --regid=1000 --init-groups -- /usr/local/bin/app -v"},
		{"in a network without a name", func(f *facts.Facts) { f.Net.Apart, f.Launcher.Operator.Value.SameNet = known(true), false }, ""},
	} {
		got := ""
		for _, fix := range fixesOf(app(nosuid, tt.change), kernel.Goal{Network: "tcp", Port: 443}) {
			if fix.ID == "move" {
				got = fix.Steps[len(fix.Steps)-1].Start
			}
		}
		if got != tt.want {
			t.Errorf("%s: %q", tt.name, got)
		}
	}
}
