package rules_test

import (
	"net/netip"
	"testing"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/internal/machine"
	. "github.com/lowport/lowport/internal/rules"
)

func known[T any](v T) machine.Fact[T] { return machine.Fact[T]{}.Now(v) }
func none[T any]() machine.Fact[T]     { return machine.Fact[T]{}.None() }

var bindCap = caps.SetOf(caps.NET_BIND_SERVICE)

// web is an ordinary user's program with nothing, and a file without
// capabilities, on a sound machine.
func web() machine.Facts {
	nothing := caps.State{Bounding: caps.UpTo(caps.Last)}
	image := machine.Image{Caps: none[caps.File](), Stat: known(machine.Stat{Mode: 0o100755}), Nosuid: known(false)}
	return machine.Facts{
		Thread: known(nothing), Threads: known(map[int]caps.State{1: nothing}),
		IDs: known(machine.IDs{UID: 1000, EUID: 1000, GID: 1000, EGID: 1000}), TracerPid: known(0),
		Exe: image, Installed: image, Deleted: known(false),
		NetOwner: known(machine.OwnerHere), PortStart: known(1024),
		Sockets: known([]machine.Socket{}), Nonlocal: known(false),
		Nonlocal6: known(false), Tentative: known([]netip.Addr{}),
		Addresses: known([]netip.Addr{netip.MustParseAddr("127.0.0.1"), netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("2001:db8::1")}),
	}
}

// with changes the facts.
func with(f machine.Facts, changes ...func(*machine.Facts)) machine.Facts {
	for _, change := range changes {
		change(&f)
	}
	return f
}

func holding(s caps.State) func(*machine.Facts) {
	return func(f *machine.Facts) {
		f.Thread, f.Threads = known(s), known(map[int]caps.State{1: s})
	}
}

var (
	permitted = caps.State{Permitted: bindCap, Bounding: bindCap}
	effective = caps.State{Permitted: bindCap, Effective: bindCap, Bounding: bindCap}
)

func outside(f *machine.Facts)   { f.NetOwner = known(machine.OwnerOutside) }
func below(f *machine.Facts)     { f.NetOwner = known(machine.OwnerBelow) }
func nonlocal(f *machine.Facts)  { f.Nonlocal = known(true) }
func nonlocal6(f *machine.Facts) { f.Nonlocal6 = known(true) }
func tentative(f *machine.Facts) {
	f.Tentative = known([]netip.Addr{netip.MustParseAddr("2001:db8::1")})
}
func lowered(f *machine.Facts) { f.PortStart = known(443) }

func taken(f *machine.Facts) {
	f.Sockets = known([]machine.Socket{{Network: "tcp", Addr: netip.MustParseAddrPort("0.0.0.0:443"), Listen: true}})
}

func tcp(addr string, port int) Goal {
	g := Goal{Network: "tcp", Port: port}
	if addr != "" {
		g.Addr = netip.MustParseAddr(addr)
	}
	return g
}

func TestAllows(t *testing.T) {
	require := func(cs ...caps.Cap) Goal { return Goal{Require: caps.SetOf(cs...)} }
	for _, tt := range []struct {
		name string
		f    machine.Facts
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
		{"require: a thread differs", with(web(), holding(effective), func(f *machine.Facts) {
			f.Threads = known(map[int]caps.State{1: effective, 2: permitted})
		}), require(caps.NET_BIND_SERVICE), No},
	} {
		if got := Allows(tt.f, tt.g); got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}

// A Yes rests on facts: take one of those that decide, and it is Unknown.
func TestAllowsUnknown(t *testing.T) {
	low, far, require := tcp("", 443), tcp("192.0.2.1", 443), Goal{Require: bindCap}
	forget := map[string]func(*machine.Facts){
		"Thread":    func(f *machine.Facts) { f.Thread = machine.Fact[caps.State]{} },
		"Threads":   func(f *machine.Facts) { f.Threads = machine.Fact[map[int]caps.State]{} },
		"NetOwner":  func(f *machine.Facts) { f.NetOwner = machine.Fact[machine.Owner]{} },
		"PortStart": func(f *machine.Facts) { f.PortStart = machine.Fact[int]{} },
		"Sockets":   func(f *machine.Facts) { f.Sockets = machine.Fact[[]machine.Socket]{} },
		"Addresses": func(f *machine.Facts) { f.Addresses = machine.Fact[[]netip.Addr]{} },
		"Nonlocal":  func(f *machine.Facts) { f.Nonlocal = machine.Fact[bool]{} },
		"Nonlocal6": func(f *machine.Facts) { f.Nonlocal6 = machine.Fact[bool]{} },
		"Tentative": func(f *machine.Facts) { f.Tentative = machine.Fact[[]netip.Addr]{} },
	}
	for _, tt := range []struct {
		forget string
		f      machine.Facts
		g      Goal
		want   Answer
	}{
		{"Thread", with(web(), holding(effective)), low, Unknown},
		{"NetOwner", with(web(), holding(effective)), low, Unknown},
		{"Sockets", with(web(), holding(effective)), low, Unknown},
		{"Addresses", with(web(), holding(effective)), far, Unknown},
		{"PortStart", with(web(), lowered), low, Unknown}, // it may be lowered; no is not told either
		{"PortStart", with(web(), holding(effective)), low, Yes},
		{"PortStart", web(), low, Unknown},
		{"Nonlocal", with(web(), holding(effective)), tcp("192.0.2.2", 443), Unknown},
		{"Nonlocal", with(web(), holding(effective)), far, Yes},
		{"Nonlocal6", with(web(), holding(effective)), tcp("2001:db8::2", 443), Unknown},
		{"Tentative", with(web(), holding(effective)), tcp("2001:db8::1", 443), Unknown},
		{"Tentative", with(web(), holding(effective)), tcp("2001:db8::2", 443), No},
		{"Thread", with(web(), holding(effective), taken), low, No}, // taken, whoever asks
		{"Thread", with(web(), holding(effective)), require, Unknown},
		{"Threads", with(web(), holding(effective)), require, Unknown},
		{"NetOwner", with(web(), holding(effective)), require, Unknown},
		{"NetOwner", with(web(), holding(permitted)), require, No},
	} {
		if got := Allows(with(tt.f, forget[tt.forget]), tt.g); got != tt.want {
			t.Errorf("%v without %s: %v, want %v", tt.g, tt.forget, got, tt.want)
		}
	}
	if got := Allows(machine.Facts{}, low); got != Unknown {
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
	stamp := func(file caps.File) func(*machine.Facts) {
		return func(f *machine.Facts) { f.Installed.Caps = known(file) }
	}
	p := stamp(caps.File{Version: 2, Permitted: bindCap})
	ep := stamp(caps.File{Version: 2, Permitted: bindCap, Effective: true})
	v3 := stamp(caps.File{Version: 3, Permitted: bindCap, RootID: 1000})
	state := func(change func(*caps.State)) func(*machine.Facts) {
		s := full
		change(&s)
		return holding(s)
	}
	nnp := state(func(s *caps.State) { s.NoNewPrivs = true })
	bounded := state(func(s *caps.State) { s.Bounding = 0 })
	ambient := state(func(s *caps.State) {
		s.Inheritable, s.Permitted, s.Effective, s.Ambient = bindCap, bindCap, bindCap, bindCap
	})
	nosuid := func(f *machine.Facts) { f.Installed.Nosuid = known(true) }
	traced := func(f *machine.Facts) { f.TracerPid = known(7) }
	setuid := func(f *machine.Facts) { f.Installed.Stat = known(machine.Stat{Mode: 0o104755}) }
	for _, tt := range []struct {
		name    string
		changes []func(*machine.Facts)
		want    Answer // permitted
	}{
		{"no capabilities", nil, No},
		{"stamped", []func(*machine.Facts){p}, Yes},
		{"stamped, nosuid", []func(*machine.Facts){p, nosuid}, No},
		{"stamped, no_new_privs", []func(*machine.Facts){p, nnp}, No},
		{"stamped, traced", []func(*machine.Facts){p, traced}, No},
		{"stamped, bounded", []func(*machine.Facts){p, bounded}, No},
		{"stamped +ep, bounded: never starts", []func(*machine.Facts){ep, bounded}, Unknown},
		{"for another namespace", []func(*machine.Facts){v3}, No},
		{"ambient", []func(*machine.Facts){ambient}, Yes},
		{"ambient, no_new_privs, nosuid", []func(*machine.Facts){ambient, nosuid}, Yes},
		{"setuid root", []func(*machine.Facts){setuid}, Yes},
		{"setuid root, nosuid", []func(*machine.Facts){setuid, nosuid}, No},

		{"thread unknown", []func(*machine.Facts){p, func(f *machine.Facts) { f.Thread = machine.Fact[caps.State]{} }}, Unknown},
		{"ids unknown", []func(*machine.Facts){p, func(f *machine.Facts) { f.IDs = machine.Fact[machine.IDs]{} }}, Unknown},
		{"mount unknown", []func(*machine.Facts){p, func(f *machine.Facts) { f.Installed.Nosuid = machine.Fact[bool]{} }}, Unknown},
		{"file unknown", []func(*machine.Facts){p, func(f *machine.Facts) { f.Installed.Caps = machine.Fact[caps.File]{} }}, Unknown},
		{"mode unknown", []func(*machine.Facts){p, func(f *machine.Facts) { f.Installed.Stat = machine.Fact[machine.Stat]{} }}, Unknown},
		{"file gone", []func(*machine.Facts){p, func(f *machine.Facts) { f.Installed.Stat = none[machine.Stat]() }}, Unknown},
		{"tracer unknown", []func(*machine.Facts){p, func(f *machine.Facts) { f.TracerPid = machine.Fact[int]{} }}, Unknown},
	} {
		f := Start(with(web(), tt.changes...))
		if got := Permitted(f, bindCap); got != tt.want {
			t.Errorf("%s: permitted %v, want %v", tt.name, got, tt.want)
		}
		if thread, threads := f.Thread.State, f.Threads.State; tt.want == Unknown && (thread == machine.Known || threads == machine.Known) {
			t.Errorf("%s: thread %v, threads %v", tt.name, thread, threads)
		}
	}
}
