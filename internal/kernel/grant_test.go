package kernel

import (
	"strings"
	"syscall"
	"testing"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/internal/facts"
)

// What keeps a grant from arriving, in one story: the fewest things, in the order in which the
// kernel comes to them, and of equally many those that leave an ambient capability.
func TestGrantObstacles(t *testing.T) {
	raw := caps.SetOf(caps.NET_RAW)
	all := caps.UpTo(caps.Last)
	app, root := facts.IDs{UID: 1000, EUID: 1000, GID: 1000, EGID: 1000}, facts.IDs{}
	stamp := func(c caps.File) Image { c.Version = 2; return Image{Stamped: true, Caps: c} }
	on := func(i Image, change func(*Image)) Image { change(&i); return i }
	nosuid, ignored := func(i *Image) { i.Nosuid = true }, func(i *Image) { i.Ignored = true }
	raises, plain := Goal{Network: "tcp", Port: 443, Raises: true}, Goal{Network: "tcp", Port: 443}
	filtered := raises
	filtered.Refused.Capset = syscall.EPERM
	ambient := Ambient(caps.State{Bounding: all}, needsBind)
	for _, tt := range []struct {
		name    string
		caller  facts.IDs
		starter caps.State
		image   Image
		change  func(*World)
		g       Goal
		want    string
	}{
		{"a nosuid mount", app, caps.State{Bounding: all}, on(stamp(caps.File{Permitted: needsBind}), nosuid), nil, raises, "nosuid-mount"},
		{"file capabilities are off, and would refuse the execve", app, caps.State{Bounding: needsBind}, on(stamp(caps.File{Permitted: needsBind | raw, Effective: true}), ignored), nil, raises, "no-file-caps exec-refused"},
		{"the program does not raise", app, caps.State{Bounding: all}, stamp(caps.File{Permitted: needsBind}), nil, plain, "not-raised"},
		{"a filter keeps it from that", app, caps.State{Bounding: all}, stamp(caps.File{Permitted: needsBind}), nil, filtered, "seccomp"},
		{"a filter on a nosuid mount", app, caps.State{Bounding: all}, on(stamp(caps.File{Permitted: needsBind}), nosuid), nil, filtered, "nosuid-mount seccomp"},
		{"lowered", app, ambient, Image{}, func(w *World) { w.Since = Lowered }, plain, "not-raised"},
		{"given up, by one that does not raise", app, ambient, Image{}, func(w *World) { w.Since = LetGo }, plain, "let-go"},
		{"an ambient capability that the file cleared, which grants it by now", app, ambient, stamp(caps.File{Permitted: raw}), func(w *World) {
			w.Facts.File.Installed = facts.Image{Caps: is(caps.File{Version: 2, Permitted: needsBind}), Stat: is(facts.Stat{}), Nosuid: is(false)}
		}, raises, "ambient-cleared-by-file"},
		{"traced, and an ambient capability that the file clears and grants", app, ambient, stamp(caps.File{Permitted: needsBind}), func(w *World) { w.Traced = true }, raises, ""}, // the starter held it
		{"traced, and nothing ambient", app, caps.State{Bounding: all}, stamp(caps.File{Permitted: needsBind}), func(w *World) { w.Traced = true }, raises, "traced-exec"},
		{"root without root's rights, from a nosuid mount", root, caps.State{Bounding: all, Securebits: caps.NoRoot}, on(stamp(caps.File{Permitted: needsBind}), nosuid), nil, raises, "nosuid-mount"},
		{"an ambient capability and a set-ID bit", app, ambient, Image{Stat: facts.Stat{Mode: 0o102755, GID: 5}}, nil, raises, "ambient-cleared-by-file"},
		{"root whose bounding set lacks it", root, caps.State{NoNewPrivs: true}, Image{}, nil, raises, "bounding-excludes"},
	} {
		f := facts.Facts{Proc: facts.Proc{Thread: is(caps.State{})}, Kernel: facts.Kernel{LastCap: is(caps.Last)}}
		w := World{Facts: &f, Caller: tt.caller, Starter: tt.starter, Image: tt.image, PortStart: 1024}
		if tt.change != nil {
			tt.change(&w)
		}
		if got := strings.Join(grantObstacles(w, tt.g), " "); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
}

// A file clears the ambient set if execve looks at its capabilities, or takes its user or group
// (cap_bprm_creds_from_file).
func TestClearsAmbient(t *testing.T) {
	app := facts.IDs{UID: 1000, EUID: 1000, GID: 1000, EGID: 1000}
	stat := func(mode, uid, gid uint32) Image {
		return Image{Stat: facts.Stat{Mode: 0o100755 | mode, UID: uid, GID: gid}}
	}
	for _, tt := range []struct {
		name  string
		image Image
		nnp   bool
		want  bool
	}{
		{"a plain file", stat(0, 0, 0), false, false}, {"an empty attribute", Image{Stamped: true}, false, true},
		{"an attribute on a nosuid mount", Image{Stamped: true, Nosuid: true}, false, false},
		{"another user's setuid", stat(0o4000, 0, 0), false, true}, {"the user's own setuid", stat(0o4000, 1000, 0), false, false},
		{"another group's setgid", stat(0o2010, 0, 5), false, true}, {"the user's own setgid", stat(0o2010, 0, 1000), false, false},
		{"setuid under no_new_privs", stat(0o4000, 0, 0), true, false}, {"an attribute under no_new_privs", Image{Stamped: true}, true, true},
	} {
		w := World{Facts: &facts.Facts{}, Caller: app, Image: tt.image, Starter: caps.State{NoNewPrivs: tt.nnp}}
		if got := w.clearsAmbient(); got != tt.want {
			t.Errorf("%s: %v", tt.name, got)
		}
	}
}

// Where nobody grants anything, the cause is what comes closest to a grant.
func TestKindOfNothing(t *testing.T) {
	raw := caps.SetOf(caps.NET_RAW)
	file := func(c caps.File) facts.Image { return facts.Image{Caps: is(c), Stat: is(facts.Stat{})} }
	ids := is(facts.IDs{UID: 1000, EUID: 1000})
	above := func(uid uint32, set caps.Set) facts.Fact[facts.Ancestor] {
		return is(facts.Ancestor{IDs: facts.IDs{UID: uid}, State: caps.State{Inheritable: set}})
	}
	inherits := caps.State{Inheritable: needsBind}
	for _, tt := range []struct {
		name    string
		f       facts.Facts
		image   Image
		starter caps.State
		want    string
	}{
		{"nothing", facts.Facts{}, Image{}, caps.State{}, "no-capability"},
		{"another capability of the file now", facts.Facts{File: facts.File{Exe: file(caps.File{Permitted: raw})}}, Image{}, caps.State{}, "file-caps-partial"},
		{"another capability of the file then, which cannot be read now", facts.Facts{}, Image{Stamped: true, Caps: caps.File{Permitted: raw}}, caps.State{}, "file-caps-partial"},
		{"inheritable on the file", facts.Facts{File: facts.File{Exe: file(caps.File{Inheritable: needsBind})}}, Image{}, caps.State{}, "inheritable-only"},
		{"inheritable in the process", facts.Facts{Proc: facts.Proc{IDs: ids}}, Image{}, inherits, "inheritable-only"},
		{"inheritable from another user", facts.Facts{Proc: facts.Proc{IDs: ids}, Launcher: facts.Launcher{Ancestor: above(0, needsBind)}}, Image{}, inherits, "lost-on-uid-change"},
		{"inheritable from the same user", facts.Facts{Proc: facts.Proc{IDs: ids}, Launcher: facts.Launcher{Ancestor: above(1000, needsBind)}}, Image{}, inherits, "inheritable-only"},
		{"inheritable, and another user has none", facts.Facts{Proc: facts.Proc{IDs: ids}, Launcher: facts.Launcher{Ancestor: above(0, 0)}}, Image{}, inherits, "inheritable-only"},
		{"authbind", facts.Facts{Launcher: facts.Launcher{Authbind: is(true)}}, Image{}, caps.State{}, "authbind-bypassed"},
		{"go run", facts.Facts{File: facts.File{Path: is("/tmp/go-build1/b001/exe/app")}}, Image{}, caps.State{}, "go-run"},
		{"a bounding set of its own", facts.Facts{Launcher: facts.Launcher{Init: is(caps.State{Bounding: needsBind | raw})}}, Image{}, caps.State{Bounding: needsBind}, "bounding-only"},
	} {
		if got := kindOfNothing(World{Facts: &tt.f, Image: tt.image, Starter: tt.starter}, Goal{Network: "tcp", Port: 443}); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
	if got := kindOfNothing(World{Facts: &facts.Facts{Launcher: facts.Launcher{Authbind: is(true)}}}, Goal{Require: needsBind}); got != "no-capability" {
		t.Errorf("authbind, where no bind is asked for: %s", got)
	}
}

// A bounding set is the engine's in a container, whatever is in it, and compared with that of process 1
// elsewhere, also in a unit of a container that is a whole machine.
func TestLimited(t *testing.T) {
	container, unit, none := is("docker"), is(facts.Unit{Name: "a.service"}), facts.Fact[facts.Unit]{State: facts.Absent}
	outside := facts.Fact[string]{State: facts.Absent}
	whole := caps.UpTo(caps.Last)
	initial, unread := is(caps.State{Bounding: whole}), facts.Fact[caps.State]{}
	read := facts.Image{Caps: facts.Fact[caps.File]{State: facts.Absent}, Stat: is(facts.Stat{})}
	for _, tt := range []struct {
		name       string
		container  facts.Fact[string]
		unit       facts.Fact[facts.Unit]
		init       facts.Fact[caps.State]
		bounding   caps.Set
		want, read bool
	}{
		{"a container", container, none, unread, needsBind, true, true},
		{"a container with everything", container, none, unread, whole, true, true},
		{"a container, perhaps in a unit", container, facts.Fact[facts.Unit]{}, initial, needsBind, true, false},
		{"a unit", outside, unit, initial, needsBind, true, true},
		{"a unit with everything", outside, unit, initial, whole, false, true},
		{"a unit of a container", container, unit, initial, needsBind, true, true},
		{"a unit of a container with less than the kernel", container, unit, is(caps.State{Bounding: needsBind}), needsBind, false, true},
		{"a shell", outside, none, initial, needsBind, true, true},
		{"a shell, process 1 hidden", outside, none, unread, needsBind, false, false},
		{"nobody knows whether it is a container", facts.Fact[string]{}, none, initial, needsBind, true, false},
		{"nobody knows whether it is a unit", outside, facts.Fact[facts.Unit]{}, initial, needsBind, true, false},
		{"a new user namespace, which has more", outside, none, is(caps.State{Bounding: needsBind}), whole, false, true},
	} {
		f := facts.Facts{Launcher: facts.Launcher{Container: tt.container, Unit: tt.unit, Init: tt.init}, File: facts.File{Exe: read}}
		if got, read := limited(&f, tt.bounding), limitsRead(&f, Goal{}); got != tt.want || read != tt.read {
			t.Errorf("%s: limited %v, read %v; want %v, %v", tt.name, got, read, tt.want, tt.read)
		}
		f.File.Exe.Caps = facts.Fact[caps.File]{}
		if limitsRead(&f, Goal{}) {
			t.Errorf("%s: read without the file", tt.name)
		}
	}
}

// What would be held outside of a user namespace is asked only of a program that is executed there.
func TestOutsides(t *testing.T) {
	f := facts.Facts{Launcher: facts.Launcher{Operator: is(facts.Operator{OtherUsers: true, State: caps.State{Bounding: needsBind}})}}
	f.File.Installed = facts.Image{Caps: facts.Fact[caps.File]{State: facts.Absent}, Stat: is(facts.Stat{}), Nosuid: is(false)}
	refused := Image{Stamped: true, Caps: caps.File{Version: 2, Permitted: needsBind, Effective: true}}
	for _, tt := range []struct {
		name string
		w    World
		want string
	}{
		{"a program", World{}, "0 1"}, {"one that runs", World{seen: true, Image: refused}, "0 1"}, {"one that is not executed", World{Image: refused}, "0"}, {"where capabilities count", World{Counts: true}, "0"},
	} {
		tt.w.Facts = &f
		if got := costs(outsides(tt.w, Goal{Network: "tcp", Port: 443}, needsBind)); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
}

// Where what the thread holds could not be read, no fix can be judged.
func TestHelpless(t *testing.T) {
	f := machines(t)["no-capability"].record.Facts()
	g := Goal{Network: "tcp", Port: 443, Raises: true}
	if found := bindRefused(f, g, syscall.EACCES); len(found.Worlds) == 0 {
		t.Error("no worlds of a thread that was read")
	}
	f.Proc.Thread = facts.Fact[caps.State]{Reason: "EACCES"}
	if found := bindRefused(f, g, syscall.EACCES); len(found.Worlds) != 0 {
		t.Error("worlds of a thread that could not be read")
	}
}

// A cause that stands in one of the likeliest stories alone comes behind one that refused in some
// and stands in all.
func TestFirstCause(t *testing.T) {
	f := machines(t)["no-capability"].record.Facts()
	f.Net.Owner = is(facts.OwnerOutside)
	elsewhere := World{Facts: &f, Caller: facts.IDs{UID: 1000, EUID: 1000}, Starter: caps.State{Bounding: caps.UpTo(caps.Last)}, PortStart: 1024, Granted: true, Local: true, Holder: Nobody}
	here := elsewhere
	here.Counts = true
	l := &look{f: &f, g: Goal{Network: "tcp", Port: 443, Raises: true, Refused: Refusal{Errno: syscall.EACCES, Call: "bind"}}}
	var got []string
	for _, c := range l.causes([]World{elsewhere, here}) {
		got = append(got, c.ID+" "+string(c.Certainty))
	}
	if s := strings.Join(got, ", "); s != "no-capability likely, initial-user-namespace possible" && s != "no-capability proven, initial-user-namespace possible" {
		t.Error(s)
	}
}

// A process has given up only what it had, but root that left may have had everything.
func TestGaveUp(t *testing.T) {
	f := facts.Facts{Proc: facts.Proc{IDs: is(facts.IDs{UID: 1000, EUID: 1000})}}
	app, root := facts.IDs{UID: 1000, EUID: 1000}, facts.IDs{}
	all := caps.UpTo(caps.Last)
	for _, tt := range []struct {
		name string
		w    World
		want bool
	}{
		{"a user with nothing", World{Caller: app, Since: LetGo}, false},
		{"a user with an ambient capability", World{Caller: app, Since: LetGo, Starter: Ambient(caps.State{Bounding: all}, needsBind)}, true},
		{"root with nothing", World{Caller: root, Since: LetGo}, true},
		{"a thread of a user with nothing", World{Caller: app, Since: OnThread}, false},
	} {
		tt.w.Facts = &f
		if _, got := tt.w.predicts(needsBind); got != tt.want {
			t.Errorf("%s: %v", tt.name, got)
		}
	}
}

// What the AppArmor profile has to grant: the capability that it withholds or may withhold, or
// the network.
func TestSayAppArmor(t *testing.T) {
	refused := []facts.Probe{{Network: "tcp4", Errno: "EACCES"}, {Network: "tcp6", Errno: "EACCES"}}
	for _, tt := range []struct {
		name   string
		policy facts.Policy
		want   string
	}{
		{"it withholds the capability", facts.Policy{Withheld: is(needsBind), Granted: is(needsBind)}, "does not grant cap_net_bind_service"},
		{"it refuses sockets", facts.Policy{Probes: is(refused), Granted: is(needsBind)}, "`network inet stream,`"},
		{"it may withhold the capability", facts.Policy{Granted: is(caps.Set(0))}, "may withhold cap_net_bind_service"},
		{"neither", facts.Policy{Granted: is(needsBind)}, "as it was"},
	} {
		tt.policy.Label = is("x (enforce)")
		f := facts.Facts{Policy: tt.policy}
		said := sayAppArmor(&look{f: &f, g: Goal{Network: "tcp", Port: 443}}, wording{"", "as it was"})
		if text := said.summary + said.detail; !strings.Contains(text, tt.want) || (tt.want == "as it was") != (text == tt.want) {
			t.Errorf("%s: %q, want %q", tt.name, text, tt.want)
		}
	}
}
