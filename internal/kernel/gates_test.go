package kernel_test

import (
	. "github.com/lowport/lowport/internal/kernel"
	"net/netip"
	"testing"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/internal/facts"
)

func known[T any](v T) facts.Fact[T] { return facts.Fact[T]{}.Now(v) }
func none[T any]() facts.Fact[T]     { return facts.Fact[T]{}.None() }

var bindCap = caps.SetOf(caps.NET_BIND_SERVICE)

// web is an ordinary user's program with nothing, and a file without
// capabilities, on a sound machine.
func web() facts.Facts {
	nothing := caps.State{Bounding: caps.UpTo(caps.Last)}
	image := facts.Image{Caps: none[caps.File](), Stat: known(facts.Stat{Mode: 0o100755}), Nosuid: known(false)}
	return facts.Facts{
		Proc: facts.Proc{
			Thread: known(nothing), Threads: known(map[int]caps.State{1: nothing}),
			IDs: known(facts.IDs{UID: 1000, EUID: 1000, GID: 1000, EGID: 1000}), TracerPid: known(0),
		},
		File: facts.File{Exe: image, Installed: image, Deleted: known(false)},
		Net: facts.Net{
			Owner: known(facts.OwnerHere), PortStart: known(1024), Sockets: known([]facts.Socket{}),
			Nonlocal: known(false), Nonlocal6: known(false), Tentative: known([]netip.Addr{}),
			Addresses: known([]netip.Addr{netip.MustParseAddr("127.0.0.1"), netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("2001:db8::1")}),
		},
	}
}

// with changes the facts.
func with(f facts.Facts, changes ...func(*facts.Facts)) facts.Facts {
	for _, change := range changes {
		change(&f)
	}
	return f
}

func holding(s caps.State) func(*facts.Facts) {
	return func(f *facts.Facts) {
		f.Proc.Thread, f.Proc.Threads = known(s), known(map[int]caps.State{1: s})
	}
}

var (
	permitted = caps.State{Permitted: bindCap, Bounding: bindCap}
	effective = caps.State{Permitted: bindCap, Effective: bindCap, Bounding: bindCap}
)

func outside(f *facts.Facts)   { f.Net.Owner = known(facts.OwnerOutside) }
func below(f *facts.Facts)     { f.Net.Owner = known(facts.OwnerBelow) }
func nonlocal(f *facts.Facts)  { f.Net.Nonlocal = known(true) }
func nonlocal6(f *facts.Facts) { f.Net.Nonlocal6 = known(true) }
func tentative(f *facts.Facts) {
	f.Net.Tentative = known([]netip.Addr{netip.MustParseAddr("2001:db8::1")})
}
func lowered(f *facts.Facts) { f.Net.PortStart = known(443) }

func taken(f *facts.Facts) {
	f.Net.Sockets = known([]facts.Socket{{Network: "tcp", Addr: netip.MustParseAddrPort("0.0.0.0:443"), Listen: true}})
}

func tcp(addr string, port int) Goal {
	g := Goal{Network: "tcp", Port: port}
	if addr != "" {
		g.Addr = netip.MustParseAddr(addr)
	}
	return g
}

// allows reports whether a guarded program that runs, or that is planned, reaches the goal.
func allows(f facts.Facts, g Goal) Answer {
	g.Raises = true
	return Allows(Worlds(&f, g), g)
}

// start plans the program's start by who holds what this thread holds.
func start(f facts.Facts) facts.Facts {
	if f.Launch.Starter.State != facts.Known {
		f.Launch.Starter = f.Proc.Thread
	}
	return Plan(f)
}

// executes reports whether the kernel executes the program, and missing what it lacks for it.
func executes(f facts.Facts) Answer {
	f = start(f)
	return Executes(&f)
}

func missing(f facts.Facts) caps.Set {
	f = start(f)
	return Worlds(&f, Goal{})[0].Missing()
}

func holdsPermitted(f facts.Facts, set caps.Set) Answer {
	s, known := f.Proc.Thread.Is()
	switch {
	case !known:
		return Unknown
	case s.Permitted.Contains(set):
		return Yes
	default:
		return No
	}
}

func free(f facts.Facts, g Goal) Answer { return Free(&f, g) }

func TestAllows(t *testing.T) {
	require := func(cs ...caps.Cap) Goal { return Goal{Require: caps.SetOf(cs...)} }
	for _, tt := range []struct {
		name string
		f    facts.Facts
		g    Goal
		want Answer
	}{
		{"nothing", web(), tcp("", 443), No},
		{"first unprivileged port", web(), tcp("", 1024), Yes},
		{"last privileged port", web(), tcp("", 1023), No},
		{"lowered threshold", with(web(), lowered), tcp("", 443), Yes},
		{"lowered, one below", with(web(), lowered), tcp("", 442), No},
		{"permitted is enough", with(web(), holding(permitted)), tcp("", 443), Yes},
		{"another capability", with(web(), holding(caps.State{Permitted: caps.SetOf(caps.NET_ADMIN)})), tcp("", 443), No},
		{"held in the wrong namespace", with(web(), holding(effective), outside), tcp("", 443), No},
		{"held above the namespace", with(web(), holding(effective), below), tcp("", 443), Yes},
		{"unprivileged port, wrong namespace", with(web(), outside), tcp("", 8080), Yes},
		{"taken", with(web(), holding(effective), taken), tcp("", 443), No},
		{"another port taken", with(web(), holding(effective), taken), tcp("", 80), Yes},
		{"local address", with(web(), holding(effective)), tcp("192.0.2.1", 443), Yes},
		{"not local", with(web(), holding(effective)), tcp("192.0.2.2", 443), No},
		{"not local, allowed", with(web(), holding(effective), nonlocal), tcp("192.0.2.2", 443), Yes},
		{"not local, IPv6: the setting is of IPv4", with(web(), holding(effective), nonlocal), tcp("2001:db8::2", 443), No},
		{"loopback net", with(web(), holding(effective)), tcp("127.9.9.9", 443), Yes},
		{"not local, IPv6, allowed", with(web(), holding(effective), nonlocal6), tcp("2001:db8::2", 443), Yes},
		{"tentative", with(web(), holding(effective), tentative), tcp("2001:db8::1", 443), No},
		{"tentative, allowed", with(web(), holding(effective), tentative, nonlocal6), tcp("2001:db8::1", 443), Yes},
		{"IPv6 loopback absent", with(web(), holding(effective)), tcp("::1", 443), No},
		{"zone", with(web(), holding(effective)), tcp("2001:db8::1%eth0", 443), Yes},
		{"every IPv4 address", with(web(), holding(effective)), tcp("0.0.0.0", 443), Yes},

		{"require: permitted is not enough", with(web(), holding(permitted)), require(caps.NET_BIND_SERVICE), No},
		{"require: effective", with(web(), holding(effective)), require(caps.NET_BIND_SERVICE), Yes},
		{"require: one of two", with(web(), holding(effective)), require(caps.NET_BIND_SERVICE, caps.CHOWN), No},
		{"require: wrong namespace", with(web(), holding(effective), outside), require(caps.NET_BIND_SERVICE), No},
		{"require: wrong namespace bears on the network alone", with(web(), holding(caps.State{Effective: caps.SetOf(caps.CHOWN)}), outside), require(caps.CHOWN), Yes},
		{"require: nothing", web(), require(), Yes},
		{"require: a thread differs", with(web(), holding(effective), func(f *facts.Facts) {
			f.Proc.Threads = known(map[int]caps.State{1: effective, 2: permitted})
		}), require(caps.NET_BIND_SERVICE), No},
	} {
		if got := allows(tt.f, tt.g); got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}

// A Yes rests on facts: take one of those that decide, and it is Unknown.
func TestAllowsUnknown(t *testing.T) {
	low, far, require := tcp("", 443), tcp("192.0.2.1", 443), Goal{Require: bindCap}
	forget := map[string]func(*facts.Facts){
		"Proc.Thread":   func(f *facts.Facts) { f.Proc.Thread = facts.Fact[caps.State]{} },
		"Proc.Threads":  func(f *facts.Facts) { f.Proc.Threads = facts.Fact[map[int]caps.State]{} },
		"Net.Owner":     func(f *facts.Facts) { f.Net.Owner = facts.Fact[facts.Owner]{} },
		"Net.PortStart": func(f *facts.Facts) { f.Net.PortStart = facts.Fact[int]{} },
		"Net.Sockets":   func(f *facts.Facts) { f.Net.Sockets = facts.Fact[[]facts.Socket]{} },
		"Net.Addresses": func(f *facts.Facts) { f.Net.Addresses = facts.Fact[[]netip.Addr]{} },
		"Net.Nonlocal":  func(f *facts.Facts) { f.Net.Nonlocal = facts.Fact[bool]{} },
		"Net.Nonlocal6": func(f *facts.Facts) { f.Net.Nonlocal6 = facts.Fact[bool]{} },
		"Net.Tentative": func(f *facts.Facts) { f.Net.Tentative = facts.Fact[[]netip.Addr]{} },
	}
	for _, tt := range []struct {
		forget string
		f      facts.Facts
		g      Goal
		want   Answer
	}{
		{"Proc.Thread", with(web(), holding(effective)), low, Unknown},
		{"Net.Owner", with(web(), holding(effective)), low, Unknown},
		{"Net.Sockets", with(web(), holding(effective)), low, Unknown},
		{"Net.Addresses", with(web(), holding(effective)), far, Unknown},
		{"Net.PortStart", with(web(), lowered), low, Unknown}, // it may be lowered; no is not told either
		{"Net.PortStart", with(web(), holding(effective)), low, Yes},
		{"Net.PortStart", web(), low, Unknown},
		{"Net.Nonlocal", with(web(), holding(effective)), tcp("192.0.2.2", 443), Unknown},
		{"Net.Nonlocal", with(web(), holding(effective)), far, Yes},
		{"Net.Nonlocal6", with(web(), holding(effective)), tcp("2001:db8::2", 443), Unknown},
		{"Net.Tentative", with(web(), holding(effective)), tcp("2001:db8::1", 443), Unknown},
		{"Net.Tentative", with(web(), holding(effective)), tcp("2001:db8::2", 443), No},
		{"Proc.Thread", with(web(), holding(effective), taken), low, No}, // taken, whoever asks
		{"Proc.Thread", with(web(), holding(effective)), require, Unknown},
		{"Proc.Threads", with(web(), holding(effective)), require, Unknown},
		{"Net.Owner", with(web(), holding(effective)), require, Unknown},
		{"Net.Owner", with(web(), holding(permitted)), require, No},
	} {
		if got := allows(with(tt.f, forget[tt.forget]), tt.g); got != tt.want {
			t.Errorf("%v without %s: %v, want %v", tt.g, tt.forget, got, tt.want)
		}
	}
	if got := allows(facts.Facts{}, low); got != Unknown {
		t.Errorf("nothing known: %v", got)
	}
}

// And and Or over all triples of answers, by their definition.
func TestLogic(t *testing.T) {
	all := []Answer{Yes, No, Unknown}
	for _, a := range all {
		for _, b := range all {
			for _, c := range all {
				has := func(x Answer) bool { return a == x || b == x || c == x }
				and, or := Yes, No
				if has(Unknown) {
					and, or = Unknown, Unknown
				}
				if has(No) {
					and = No
				}
				if has(Yes) {
					or = Yes
				}
				if got := And(a, b, c); got != and {
					t.Errorf("And(%v, %v, %v) = %v", a, b, c, got)
				}
				if got := Or(a, b, c); got != or {
					t.Errorf("Or(%v, %v, %v) = %v", a, b, c, got)
				}
			}
		}
	}
}

// Start executes the file at the program's path: by the execve rule, and only
// where everything that the rule needs is known.
func TestStart(t *testing.T) {
	full := caps.State{Bounding: caps.UpTo(caps.Last)}
	stamp := func(file caps.File) func(*facts.Facts) {
		return func(f *facts.Facts) { f.File.Installed.Caps = known(file) }
	}
	p := stamp(caps.File{Version: 2, Permitted: bindCap})
	ep := stamp(caps.File{Version: 2, Permitted: bindCap, Effective: true})
	v3 := stamp(caps.File{Version: 3, Permitted: bindCap, RootID: 1000})
	state := func(change func(*caps.State)) func(*facts.Facts) {
		s := full
		change(&s)
		return holding(s)
	}
	nnp := state(func(s *caps.State) { s.NoNewPrivs = true })
	bounded := state(func(s *caps.State) { s.Bounding = 0 })
	ambient := state(func(s *caps.State) {
		s.Inheritable, s.Permitted, s.Effective, s.Ambient = bindCap, bindCap, bindCap, bindCap
	})
	nosuid := func(f *facts.Facts) { f.File.Installed.Nosuid = known(true) }
	traced := func(f *facts.Facts) { f.Proc.TracerPid, f.Launcher.Tracer = known(7), known(caps.State{}) }
	tracedByRoot := func(f *facts.Facts) {
		f.Proc.TracerPid, f.Launcher.Tracer = known(7), known(caps.State{Effective: caps.SetOf(caps.SYS_PTRACE)})
	}
	shared := func(f *facts.Facts) { f.Launcher.SharesFS = known(true) }
	inside := func(f *facts.Facts) {
		f.Net.UserNS, f.Net.UIDMap = known("user:[7]"), known("0 1000 1")
	}
	setuid := func(f *facts.Facts) { f.File.Installed.Stat = known(facts.Stat{Mode: 0o104755}) }
	for _, tt := range []struct {
		name    string
		changes []func(*facts.Facts)
		want    Answer // permitted
	}{
		{"no capabilities", nil, No},
		{"stamped", []func(*facts.Facts){p}, Yes},
		{"stamped, nosuid", []func(*facts.Facts){p, nosuid}, No},
		{"stamped, no_new_privs", []func(*facts.Facts){p, nnp}, No},
		{"stamped, traced", []func(*facts.Facts){p, traced}, No},
		{"stamped, traced by root", []func(*facts.Facts){p, tracedByRoot}, Yes},
		{"stamped, traced by nobody knows whom", []func(*facts.Facts){p, func(f *facts.Facts) { f.Proc.TracerPid = known(7) }}, Unknown},
		{"stamped, shared folders", []func(*facts.Facts){p, shared}, No},
		{"stamped, bounded", []func(*facts.Facts){p, bounded}, No},
		{"stamped +ep, bounded: never starts", []func(*facts.Facts){ep, bounded}, Unknown},
		{"for another namespace", []func(*facts.Facts){v3}, No},
		{"ambient", []func(*facts.Facts){ambient}, Yes},
		{"ambient, no_new_privs, nosuid", []func(*facts.Facts){ambient, nosuid}, Yes},
		{"setuid root", []func(*facts.Facts){setuid}, Yes},
		{"setuid root, nosuid", []func(*facts.Facts){setuid, nosuid}, No},
		{"setuid root, mapped", []func(*facts.Facts){setuid, inside}, Yes},
		{"setuid of a user without an id here", []func(*facts.Facts){func(f *facts.Facts) {
			f.File.Installed.Stat = known(facts.Stat{Mode: 0o104755, UID: 65534})
		}, ambient, inside}, Yes},

		{"thread unknown", []func(*facts.Facts){p, func(f *facts.Facts) { f.Proc.Thread = facts.Fact[caps.State]{} }}, Unknown},
		{"ids unknown", []func(*facts.Facts){p, func(f *facts.Facts) { f.Proc.IDs = facts.Fact[facts.IDs]{} }}, Unknown},
		{"mount unknown", []func(*facts.Facts){p, func(f *facts.Facts) { f.File.Installed.Nosuid = facts.Fact[bool]{} }}, Unknown},
		{"file unknown", []func(*facts.Facts){p, func(f *facts.Facts) { f.File.Installed.Caps = facts.Fact[caps.File]{} }}, Unknown},
		{"mode unknown", []func(*facts.Facts){p, func(f *facts.Facts) { f.File.Installed.Stat = facts.Fact[facts.Stat]{} }}, Unknown},
		{"file gone", []func(*facts.Facts){p, func(f *facts.Facts) { f.File.Installed.Stat = none[facts.Stat]() }}, Unknown},
		{"tracer unknown", []func(*facts.Facts){p, func(f *facts.Facts) { f.Proc.TracerPid = facts.Fact[int]{} }}, Unknown},
	} {
		f := start(with(web(), tt.changes...))
		if got := holdsPermitted(f, bindCap); got != tt.want {
			t.Errorf("%s: permitted %v, want %v", tt.name, got, tt.want)
		}
		if thread, threads := f.Proc.Thread.State, f.Proc.Threads.State; tt.want == Unknown && (thread == facts.Known || threads == facts.Known) {
			t.Errorf("%s: thread %v, threads %v", tt.name, thread, threads)
		}
	}
}
