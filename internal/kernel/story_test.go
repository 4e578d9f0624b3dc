package kernel_test

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/guard/report"
	"github.com/lowport/lowport/internal/errnos"
	"github.com/lowport/lowport/internal/facts"
	. "github.com/lowport/lowport/internal/kernel"
	"github.com/lowport/lowport/internal/needs"
)

// What is said of a program before its start is said of it when it runs: of a refusal the
// same first cause, whatever the situation. Where what the starter held cannot be seen any
// more it may be another one, which is not proven then.
func TestStory(t *testing.T) {
	seed := needs.Seed(t)
	r := rand.New(rand.NewPCG(seed, 0))
	refused, n := 0, 3000
	if testing.Short() {
		n = 100
	}
	for i := range n {
		f, g := situation(r)
		planned := start(f)
		worlds := Worlds(&planned, g)
		done, err := Predict(worlds, g)
		if err != nil || !done.Executed {
			continue
		}
		name := fmt.Sprintf("%d of seed %d: %s", i, seed, describe(f, g))
		running := run(planned, worlds[0])
		if done.Errno == "" {
			continue
		}
		refused++
		before := Explain(&planned, g, nil)
		after := g
		errno, _ := errnos.Of(done.Errno)
		after.Refused = Refusal{Errno: errno, Call: "bind", Raised: done.Raised}
		found := Explain(&running, after, errno)
		said, now := before.Causes[0].ID, found.Causes[0]
		if said != now.ID && now.Certainty == report.Proven {
			t.Errorf("%v before the start, and %v (%s) then: %s", ids(before), ids(found), now.Certainty, name)
		}
		agrees(t, name, found, after)
	}
	if refused < n/3 {
		t.Errorf("of %d only %d were refused", n, refused)
	}
}

// agrees checks a finding against the worlds that it is about.
func agrees(t *testing.T, name string, found Finding, g Goal) {
	t.Helper()
	if len(found.Worlds) == 0 {
		t.Errorf("%s: nothing fits", name)
		return
	}
	first := func(w World) bool { return slices.Contains(w.RefusedBy(g), found.Causes[0].ID) }
	if !slices.ContainsFunc(Likeliest(found.Worlds), first) {
		t.Errorf("%s: %v, and the first refused in no likely world", name, ids(found))
	}
	for _, w := range found.Worlds {
		obstacles := w.Obstacles(g)
		if w.Allows(g) || len(obstacles) == 0 {
			t.Errorf("%s: refused, and a world allows it", name)
		}
		for _, c := range found.Causes {
			if c.Certainty == report.Proven && !slices.Contains(obstacles, c.ID) {
				t.Errorf("%s: %s is proven, and no obstacle in a world with %v", name, c.ID, obstacles)
			}
		}
	}
	for _, w := range Likeliest(found.Worlds) {
		for _, c := range found.Causes {
			if c.Certainty != report.Possible && !slices.Contains(w.Obstacles(g), c.ID) {
				t.Errorf("%s: %s is %s, and no obstacle in one of the likeliest worlds", name, c.ID, c.Certainty)
			}
		}
	}
}

// run is what can be read of the program once it runs as the world says.
func run(planned facts.Facts, w World) facts.Facts {
	f := planned
	f.Launch = facts.Launch{}
	s, _ := w.Executed()
	f.Proc.Thread, f.Proc.Threads = known(s), known(map[int]caps.State{1: s})
	f.Proc.AtInit = known(s)
	f.Proc.Dropped, f.Proc.Drops = known(caps.Set(0)), known(caps.Set(0))
	f.Proc.Secure, f.Proc.Dumpable = known(w.Secure()), known(map[bool]int{false: 1}[w.Undumpable()])
	f.File.ChangedSince = known(false)
	f.File.MountPoint = known("/srv")
	return f
}

// situation draws a program before its start.
func situation(r *rand.Rand) (facts.Facts, Goal) {
	f := web()
	all := caps.UpTo(caps.Last)
	s := caps.State{Bounding: pick(r, all, all, all&^bindCap, bindCap, 0), NoNewPrivs: r.IntN(4) == 0}
	switch r.IntN(4) {
	case 0:
		s.Inheritable = bindCap
	case 1:
		s.Inheritable, s.Permitted, s.Effective, s.Ambient = bindCap, bindCap, bindCap, bindCap
	}
	f.Launch.Starter = known(s)
	if r.IntN(4) == 0 {
		f.Proc.IDs = known(facts.IDs{})
		s.Permitted, s.Effective = s.Bounding|s.Ambient, s.Bounding|s.Ambient
		s.Securebits = pick(r, 0, caps.NoRoot)
		f.Launch.Starter = known(s)
	}
	f.File.Installed.Nosuid = known(r.IntN(5) == 0)
	if file := pick(r, caps.File{}, caps.File{Permitted: bindCap}, caps.File{Permitted: bindCap, Effective: true},
		caps.File{Inheritable: bindCap}, caps.File{Inheritable: bindCap, Effective: true}, caps.File{Permitted: caps.SetOf(caps.NET_RAW)},
		caps.File{Version: 3, RootID: 7, Permitted: bindCap}); file != (caps.File{}) {
		file.Version = max(file.Version, 2)
		f.File.Installed.Caps = known(file)
	}
	if r.IntN(6) == 0 {
		f.Proc.TracerPid, f.Launcher.Tracer = known(7), known(pick(r, caps.State{}, caps.State{Effective: all}))
	}
	f.Launcher.Init = known(caps.State{Bounding: all})
	f.Kernel.LastCap = known(caps.Last)
	f.Proc.Seccomp = known(0)
	if r.IntN(6) == 0 {
		f.Net.Owner, f.Net.UserNS, f.Net.UIDMap = known(facts.OwnerOutside), known("user:[7]"), known("0 1000 1")
	}
	if r.IntN(5) == 0 {
		f.Net.Sockets = known([]facts.Socket{{Network: "tcp", Addr: netip.MustParseAddrPort("[::]:443"), Listen: true}})
	}
	g := tcp(pick(r, "", "", "127.0.0.1", "192.0.2.1", "203.0.113.7", "2001:db8::1", "2001:db8::7"), pick(r, 443, 443, 8443))
	g.Raises, g.MPTCP = true, r.IntN(2) == 0
	f.Policy.Probes = known(probesOf(r, g.MPTCP))
	return f, g
}

// probesOf are the answers on a machine without a policy, with Landlock, or with a cgroup
// BPF program.
func probesOf(r *rand.Rand, mptcp bool) []facts.Probe {
	var all []facts.Probe
	kind := r.IntN(8)
	for _, network := range []string{"tcp4", "tcp6", "mptcp4", "mptcp6", "udp4", "udp6"} {
		p := facts.Probe{Network: network}
		switch {
		case kind == 0 && network[:3] == "tcp":
			p.Errno, p.When = "EACCES", facts.BeforePort
		case kind == 1:
			p.Errno, p.When = "EPERM", facts.BeforePort
		}
		if mptcp || network[0] != 'm' {
			all = append(all, p)
		}
	}
	return all
}

func pick[T any](r *rand.Rand, from ...T) T { return from[r.IntN(len(from))] }

func ids(f Finding) (all []string) {
	for _, c := range f.Causes {
		all = append(all, c.ID)
	}
	return all
}

func describe(f facts.Facts, g Goal) string {
	file, stamped := f.File.Installed.Caps.Is()
	return fmt.Sprintf("%s %v:%d mptcp %v, starter %+v, ids %+v, file %v %v, nosuid %v, tracer %d, owner %v, probes %v",
		g.Network, g.Addr, g.Port, g.MPTCP, f.Launch.Starter.Value, f.Proc.IDs.Value, stamped, file, f.File.Installed.Nosuid.Value,
		f.Proc.TracerPid.Value, f.Net.Owner.Value, f.Policy.Probes.Value)
}
