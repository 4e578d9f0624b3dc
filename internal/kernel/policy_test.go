package kernel

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/guard/report"
	"github.com/lowport/lowport/internal/facts"
)

// Which kind of policy refuses, by what else it refuses: a filter cannot see addresses, Landlock
// knows TCP alone and answers EACCES, a cgroup BPF program answers EPERM.
func TestPolicyObstacles(t *testing.T) {
	probes := func(tcp, udp string, by facts.By) []facts.Probe {
		return []facts.Probe{{Network: "tcp4", Errno: tcp, By: by}, {Network: "udp4", Errno: udp, By: by}, {Network: "tcp6", Errno: "EAFNOSUPPORT"}, {Network: "udp6", Errno: "EAFNOSUPPORT"}}
	}
	tcp, udp := Goal{Network: "tcp", Port: 443}, Goal{Network: "udp", Port: 443}
	refused := func(g Goal, errno syscall.Errno, call string) Goal {
		g.Refused = Refusal{Errno: errno, Call: call}
		return g
	}
	for _, tt := range []struct {
		name    string
		g       Goal
		mptcp   bool
		probes  []facts.Probe
		seccomp int
		label   string
		enforce bool
		want    string
	}{
		{"a filter answered", tcp, false, probes("EACCES", "", facts.ByFilter), 2, "", false, "seccomp"},
		{"a filter, and all is refused alike", tcp, false, probes("EPERM", "EPERM", ""), 2, "", false, "seccomp"},
		{"no filter, and all is refused alike", tcp, false, probes("EPERM", "EPERM", ""), 0, "", false, "bpf-or-policy"},
		{"a filter, and the kernel refuses all alike", tcp, false, probes("EPERM", "EPERM", facts.ByKernel), 2, "", false, "bpf-or-policy"},
		{"a filter, and TCP alone is refused", tcp, false, probes("EACCES", "", ""), 2, "", false, "landlock"},
		{"a filter, and nothing was probed", refused(tcp, syscall.EACCES, "bind"), false, nil, 2, "", false, "unknown"},
		{"a filter, and no socket", refused(tcp, syscall.EACCES, "socket"), false, nil, 2, "", false, "seccomp"},
		{"no filter, and no socket", refused(tcp, syscall.EACCES, "socket"), false, nil, 0, "", false, "unknown"},
		{"a filter, and no socket by the kernel", refused(tcp, syscall.EACCES, "socket"), false, probes("EACCES", "EACCES", facts.ByKernel), 2, "", false, "unknown"},
		{"SELinux", tcp, false, probes("EACCES", "", ""), 0, "system_u:x", true, "selinux"},
		{"AppArmor", tcp, false, probes("EACCES", "", ""), 0, "x (enforce)", false, "apparmor"},
		{"AppArmor that complains", tcp, false, probes("EACCES", "", ""), 0, "x (complain)", false, "landlock"},
		{"TCP alone", tcp, false, probes("EACCES", "", ""), 0, "", false, "landlock"},
		{"TCP alone, with another errno", tcp, false, probes("EPERM", "", ""), 0, "", false, "bpf-or-policy"},
		{"TCP, and UDP with EPERM", tcp, false, probes("EACCES", "EPERM", ""), 0, "", false, "landlock bpf-or-policy"},
		{"both with EACCES", refused(tcp, syscall.EACCES, "bind"), false, probes("EACCES", "EACCES", ""), 0, "", false, "unknown"},
		{"UDP alone, whatever bind said", refused(udp, syscall.EPERM, "bind"), false, probes("", "EACCES", ""), 0, "", false, "unknown"},
		{"MPTCP, which Landlock does not see", refused(tcp, syscall.EACCES, "bind"), true, append(probes("EACCES", "", ""), facts.Probe{Network: "mptcp4"}), 0, "", false, "unknown"},
		{"nothing was probed, EACCES", refused(tcp, syscall.EACCES, "bind"), false, nil, 0, "", false, "unknown"},
		{"nothing was probed, EPERM", refused(tcp, syscall.EPERM, "bind"), false, nil, 0, "", false, "bpf-or-policy"},
		{"nothing was tried", tcp, false, nil, 0, "", false, "bpf-or-policy"},
	} {
		f := facts.Facts{Proc: facts.Proc{Seccomp: is(tt.seccomp)}, Policy: facts.Policy{Probes: is(tt.probes), Label: is(tt.label), Enforcing: is(tt.enforce)}}
		if got := strings.Join(policyObstacles(&f, tt.g, attempt{mptcp: tt.mptcp}), " "); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
	for _, tt := range []struct {
		errno   syscall.Errno
		seccomp int
		label   string
		enforce bool
		want    string
	}{
		{syscall.EACCES, 2, "x (enforce)", true, "selinux"}, {syscall.EACCES, 2, "x (enforce)", false, "apparmor"}, {syscall.EACCES, 2, "", false, "seccomp"},
		{syscall.EPERM, 0, "", false, "bpf-or-policy"}, {0, 0, "", false, "bpf-or-policy"}, {syscall.EACCES, 0, "", false, "unknown"},
	} {
		f := facts.Facts{Proc: facts.Proc{Seccomp: is(tt.seccomp)}, Policy: facts.Policy{Label: is(tt.label), Enforcing: is(tt.enforce)}}
		if got := listenCause(&f, Goal{Network: "tcp", Refused: Refusal{Errno: tt.errno, Call: "listen"}}); got != tt.want {
			t.Errorf("listen: %+v: %s, want %s", tt, got, tt.want)
		}
	}
	for _, tt := range []struct {
		errno   syscall.Errno
		seccomp facts.Fact[int]
		lsms    facts.Fact[string]
		want    bool
	}{
		{syscall.EPERM, is(0), is("capability,landlock,yama"), true}, {syscall.EACCES, is(0), is("capability,landlock,yama"), false},
		{syscall.EPERM, is(2), is("capability,landlock,yama"), false}, {syscall.EPERM, facts.Fact[int]{}, is("capability"), false},
		{syscall.EPERM, is(0), is("capability,apparmor"), false}, {syscall.EPERM, is(0), facts.Fact[string]{}, false},
	} {
		f := facts.Facts{Proc: facts.Proc{Seccomp: tt.seccomp}, Policy: facts.Policy{LSMs: tt.lsms}}
		if got := onlyBPF(&f, Goal{Network: "tcp", Refused: Refusal{Errno: tt.errno}}); got != tt.want {
			t.Errorf("%+v: only BPF %v", tt, got)
		}
	}
}

// Why no socket can be made: by the probes, or else by the errno of the refusal.
func TestSocketCause(t *testing.T) {
	for _, tt := range []struct {
		probe string
		errno syscall.Errno
		want  string
	}{
		{"EAFNOSUPPORT", syscall.EMFILE, "family-unavailable"}, {"EPROTONOSUPPORT", 0, "protocol-unavailable"}, {"", syscall.EMFILE, "resource-limit"},
		{"", syscall.ENFILE, "resource-limit"}, {"", syscall.EAFNOSUPPORT, "family-unavailable"}, {"", syscall.EIO, "unknown"},
	} {
		f := facts.Facts{Policy: facts.Policy{Probes: is([]facts.Probe{{Network: "tcp4", Errno: tt.probe}, {Network: "tcp6", Errno: tt.probe}})}}
		if got := socketCause(World{Facts: &f}, Goal{Network: "tcp", Refused: Refusal{Errno: tt.errno, Call: "socket"}}, attempt{}); got != tt.want {
			t.Errorf("%+v: %s", tt, got)
		}
	}
}

// Why an address cannot be bound. A zone is no part of the address of an interface.
func TestAddressCause(t *testing.T) {
	tentative := netip.MustParseAddr("fe80::1")
	for _, tt := range []struct {
		addr  string
		errno syscall.Errno
		want  string
	}{
		{"fe80::1%lo", syscall.EADDRNOTAVAIL, "address-tentative"}, {"fe80::2%lo", syscall.EADDRNOTAVAIL, "address-unavailable"}, {"fe80::1", syscall.EINVAL, "address-invalid"},
		{"192.0.2.7", syscall.EADDRNOTAVAIL, "address-unavailable"}, {"192.0.2.7", syscall.EINVAL, "address-invalid"},
	} {
		f := facts.Facts{Net: facts.Net{Tentative: is([]netip.Addr{tentative})}}
		if got := addressCause(&f, Goal{Network: "tcp", Addr: netip.MustParseAddr(tt.addr), Refused: Refusal{Errno: tt.errno}}); got != tt.want {
			t.Errorf("%+v: %s", tt, got)
		}
	}
}

// A refusal by a filter names the call that it refuses, and only that.
func TestSaySeccomp(t *testing.T) {
	for _, tt := range []struct {
		name    string
		refused Refusal
		granted string // why capget(2) could not be asked
		unseen  string
		want    string
		told    bool // that bind is let through
	}{
		{"bind", Refusal{Errno: syscall.EPERM, Call: "bind"}, "", "", "bind", false},
		{"nothing was tried", Refusal{}, "", "", "bind", false},
		{"the program's own setup", Refusal{Errno: syscall.EPERM, Call: "setsockopt"}, "", "", "bind", false},
		{"socket", Refusal{Errno: syscall.EPERM, Call: "socket"}, "", "", "socket", true},
		{"listen", Refusal{Errno: syscall.EPERM, Call: "listen"}, "", "listen", "listen", true},
		{"listen of an MPTCP socket", Refusal{Errno: syscall.EACCES, Call: "bind"}, "", "listen", "listen", false},
		{"capset", Refusal{Capset: syscall.EPERM}, "", "", "capset", false},
		{"capset, and capget with another errno", Refusal{Capset: syscall.EPERM}, "EACCES", "", "capset", false},
		{"capget, which comes before it", Refusal{Capset: syscall.EPERM}, "EPERM", "", "capget", false},
	} {
		f := facts.Facts{Policy: facts.Policy{Granted: unreadable[caps.Set](tt.granted)}}
		said := saySeccomp(&look{f: &f, g: Goal{Network: "tcp", Port: 443, Refused: tt.refused}, w: World{Facts: &f, Unseen: tt.unseen}}, wording{"", "as it was"})
		if word := strings.TrimPrefix(said.summary, "a seccomp filter refuses "); !slices.Contains(strings.FieldsFunc(word, func(c rune) bool { return c == ' ' || c == ',' })[:1], tt.want) ||
			strings.Contains(said.detail, "let through") != tt.told {
			t.Errorf("%s: %q, %q; want %s", tt.name, said.summary, said.detail, tt.want)
		}
	}
}

// An error that never reached the kernel, as package net words it, with what was meant.
func TestInvalid(t *testing.T) {
	wrap := func(err error) error { return &net.OpError{Op: "listen", Net: "tcp", Err: err} }
	for _, tt := range []struct {
		err  error
		want string // a part of it
	}{
		{wrap(&net.AddrError{Err: "missing port in address", Addr: "::1"}), "write [::1]:PORT"},
		{wrap(&net.AddrError{Err: "too many colons in address", Addr: "::1"}), "write [::1]:PORT"},
		{wrap(&net.AddrError{Err: "unexpected ']' in address", Addr: "::1"}), "unexpected ']'"},
		{wrap(&net.AddrError{Err: "too many colons in address", Addr: "a:b:c"}), "too many colons"},
		{wrap(&net.AddrError{Err: "missing port in address", Addr: "443"}), `":443"`},
		{wrap(&net.AddrError{Err: "missing port in address", Addr: "host"}), "write host:PORT"},
		{wrap(&net.AddrError{Err: "missing port in address", Addr: ""}), "empty"},
		{wrap(&net.DNSError{Err: "no such host", Name: "none.example"}), "the name none.example does not resolve: no such host"},
		{wrap(&net.DNSError{Err: "unknown port", Name: "tcp/443x"}), `"443x" is no port`},
		{wrap(errors.New("odd")), "odd"},
		{errors.New("bare"), "bare"},
	} {
		if got := invalid(tt.err); !strings.Contains(got, tt.want) {
			t.Errorf("%v: %q, want %q", tt.err, got, tt.want)
		}
	}
	if got := invalid(wrap(&net.AddrError{Err: "missing port in address", Addr: "host"})); strings.Contains(got, "colon") {
		t.Errorf("a host: %q", got)
	}
}

// What the program's own Control function failed at: an option that takes a capability, an
// option that the kernel does not take, or something of its own.
func TestSayControl(t *testing.T) {
	for _, tt := range []struct {
		call  string
		errno syscall.Errno
		want  string
	}{
		{"setsockopt", syscall.EPERM, "cap_net_admin"}, {"setsockopt", syscall.EACCES, "cap_net_admin"}, {"setsockopt", syscall.EINVAL, "setsockopt failed"}, {"control", syscall.EPERM, "Control function failed"},
	} {
		err := &net.OpError{Op: "listen", Net: "tcp", Err: os.NewSyscallError(tt.call, tt.errno)}
		if said := sayControl(&look{g: Goal{Network: "tcp", Refused: Refusal{Errno: tt.errno, Call: tt.call}}, err: err}, wording{}); !strings.Contains(said.summary, tt.want) {
			t.Errorf("%+v: %q", tt, said.summary)
		}
	}
}

// Who holds a port is named as exactly as it is known.
func TestHolder(t *testing.T) {
	for _, tt := range []struct {
		s    facts.Socket
		want string
	}{
		{facts.Socket{Self: true, PID: 7, Command: "app"}, "this process itself"},
		{facts.Socket{Cgroup: "/system.slice/app.socket"}, "systemd for app.socket"},
		{facts.Socket{PID: 7, Command: "nginx"}, "nginx (pid 7)"},
		{facts.Socket{PID: 7, Command: "nginx", Also: []int{8}}, "nginx (pid 7) and 1 more"},
		{facts.Socket{Cgroup: "/system.slice/nginx.service", UID: 33}, "nginx.service (uid 33)"},
		{facts.Socket{Cgroup: "/user.slice", UID: 33}, "uid 33 in cgroup /user.slice"},
		{facts.Socket{UID: 33}, "uid 33"},
	} {
		if got := Holder(tt.s); got != tt.want {
			t.Errorf("%+v: %q, want %q", tt.s, got, tt.want)
		}
	}
	if got := few(strings.Fields("a b c d")); got != "a, b, c, d" {
		t.Errorf("four: %q", got)
	}
	if got := few(strings.Fields("a b c d e f")); got != "a, b, c, d and 2 more" {
		t.Errorf("six: %q", got)
	}
}

// An address that is missing: others of its family are named, and nothing where there are none.
func TestSayUnavailable(t *testing.T) {
	for _, tt := range []struct {
		addr, here string
		want       string
	}{
		{"192.0.2.7", "192.0.2.1 2001:db8::1", "has 192.0.2.1: use it"}, {"192.0.2.7", "192.0.2.1 192.0.2.2", "has 192.0.2.1, 192.0.2.2: use one of them"},
		{"2001:db8::7", "192.0.2.1 2001:db8::1", "has 2001:db8::1: use it"}, {"2001:db8::7", "192.0.2.1", "as it was"}, {"192.0.2.7", "", "as it was"},
	} {
		var all []netip.Addr
		for _, a := range strings.Fields(tt.here) {
			all = append(all, netip.MustParseAddr(a))
		}
		f := facts.Facts{Net: facts.Net{Addresses: is(all)}}
		said := sayUnavailable(&look{f: &f, g: Goal{Network: "tcp", Addr: netip.MustParseAddr(tt.addr)}}, wording{detail: "as it was"})
		if !strings.Contains(said.detail, tt.want) || (tt.want == "as it was") != (said.detail == tt.want) {
			t.Errorf("%s of %s: %q, want %q", tt.addr, tt.here, said.detail, tt.want)
		}
	}
}

// A filter that may hide what the kernel has is spoken of only where there is one.
func TestSayWithoutFilter(t *testing.T) {
	for _, tt := range []struct {
		mode           facts.Fact[int]
		hides, policy  string
		speaksOfFilter bool
	}{
		{is(0), "lacking", "no seccomp filter is set", false}, {is(2), "filtered", "as it was", true}, {facts.Fact[int]{}, "as it was", "as it was", true},
	} {
		f := facts.Facts{Proc: facts.Proc{Seccomp: tt.mode}}
		l := &look{f: &f}
		if said := hidden("filtered", "lacking")(l, wording{detail: "as it was"}); said.detail != tt.hides {
			t.Errorf("%+v: %q, want %q", tt.mode, said.detail, tt.hides)
		}
		if said := sayPolicy(l, wording{detail: "as it was"}); !strings.Contains(said.detail, tt.policy) {
			t.Errorf("%+v: %q, want %q", tt.mode, said.detail, tt.policy)
		}
	}
}

// A capability that is required is explained by what it is for, and by the part of it that a
// cause is about.
func TestAbout(t *testing.T) {
	f := machines(t)["foreign-user-namespace"].record.Facts()
	all := caps.UpTo(caps.Last)
	f.Proc.Thread.Value.Permitted, f.Proc.Thread.Value.Effective = all, all
	f.Proc.Threads = is(map[int]caps.State{1: f.Proc.Thread.Value})
	found := Explain(&f, Goal{Require: caps.SetOf(caps.NET_BIND_SERVICE, caps.SYS_TIME, caps.CHOWN)}, nil)
	for _, c := range found.Causes {
		want, other := "cap_net_bind_service", "cap_sys_time"
		if c.ID == "initial-user-namespace" {
			want, other = other, want
		}
		if strings.Contains(c.Summary, other) || !strings.Contains(c.Summary, want) || strings.Contains(c.Summary, "cap_chown") {
			t.Errorf("%s: %q is not about %s alone", c.ID, c.Summary, want)
		}
	}
	if d := found.Causes[0].Detail; !strings.Contains(d, "cap_sys_time is for ") {
		t.Errorf("what for: %q", d)
	}
	f = machines(t)["no-capability"].record.Facts()
	if d := bindRefused(f, Goal{Network: "tcp", Port: 443}, syscall.EACCES).Causes[0].Detail; strings.HasSuffix(d, "; ") {
		t.Errorf("a bind: %q", d)
	}
}

// What would not help is said of causes that are at least likely, and not of a bounding set that is
// a part of why the program is not executed.
func TestUnhelpful(t *testing.T) {
	none := len(machines(t)["no-capability"].explain(machines(t)["no-capability"].record.Facts()).Unhelpful)
	for name, want := range map[string]bool{"nosuid": true, "bounding-excludes": true, "no-new-privs": true, "policy": false, "ambient-cleared": false} {
		m := machines(t)[name]
		found := m.explain(m.record.Facts())
		if got := len(found.Unhelpful) > none; got != want {
			t.Errorf("%s (%s): %q", name, found.Causes[0].Certainty, found.Unhelpful)
		}
	}
	f := machines(t)["no-capability"].record.Facts()
	f.File.Installed.Caps = f.File.Installed.Caps.Now(caps.File{Version: 2, Permitted: needsBind, Effective: true})
	f.Launch.Starter = is(caps.State{Bounding: caps.SetOf(caps.NET_RAW)})
	f = Plan(f)
	found := bindRefused(f, Goal{Network: "tcp", Port: 443, Raises: true}, syscall.EPERM)
	if slices.ContainsFunc(found.Unhelpful, func(u string) bool { return strings.Contains(u, "setcap") }) {
		t.Errorf("not executed: %q", found.Unhelpful)
	}
	if c := found.Causes; c[0].Certainty != report.Proven {
		t.Errorf("%+v", c)
	}
}

// Each machine shows the facts that decide there, by name; one in brackets says nothing by itself.
func TestEvidence(t *testing.T) {
	for name, want := range map[string]string{
		"address-in-use":      "socket",
		"no-capability":       "ip_unprivileged_port_start, CapPrm, file capabilities, (CapPrm at the start)",
		"require":             "CapEff, file capabilities, (CapPrm at the start)",
		"in-use":              "ip_unprivileged_port_start, network of process 1, CapPrm, file capabilities, (CapPrm at the start), socket",
		"let-go":              "ip_unprivileged_port_start, CapPrm, CapPrm at the start, AT_SECURE, (dumpable)",
		"bounding-only-pod":   "container, ip_unprivileged_port_start, CapPrm, file capabilities, (CapPrm at the start), CapBnd",
		"bounding-only-unit":  "ip_unprivileged_port_start, CapPrm, file capabilities, (CapPrm at the start), CapBnd, CapBnd of process 1",
		"inheritable-process": "ip_unprivileged_port_start, CapPrm, file capabilities, CapInh", // an older recording, without a note of the start
		"traced":              "ip_unprivileged_port_start, CapPrm, file capabilities, TracerPid, CapEff of the tracer",
		"policy":              "ip_unprivileged_port_start, CapEff, probes, Seccomp",
		"not-raised":          "CapEff, CapPrm",
		"stamped-later":       "ip_unprivileged_port_start, CapPrm, (deleted), file capabilities",
	} {
		m := machines(t)[name]
		var got []string
		for _, e := range m.explain(m.record.Facts()).Evidence {
			if e.Says == "" {
				e.Name = "(" + e.Name + ")"
			}
			got = append(got, e.Name)
		}
		if s := strings.Join(got, ", "); s != want {
			t.Errorf("%s shows\n%s, want\n%s", name, s, want)
		}
	}
}

// What a single fact says, and when it says nothing.
func TestEvidenceSays(t *testing.T) {
	const nothing, unknown = "", "could not tell"
	for _, tt := range []struct {
		name string
		show func(*look)
		f    facts.Facts
		want string
	}{
		{"no tracer", (*look).tracer, facts.Facts{Proc: facts.Proc{TracerPid: is(0)}}, nothing},
		{"a tracer", (*look).tracer, facts.Facts{Proc: facts.Proc{TracerPid: is(7)}}, "7"},
		{"dumpable", (*look).letGo, facts.Facts{Proc: facts.Proc{Dumpable: is(1)}}, nothing},
		{"undumpable", (*look).letGo, facts.Facts{Proc: facts.Proc{Dumpable: is(0)}}, "PR_GET_DUMPABLE 0"},
		{"what a drop found", (*look).letGo, facts.Facts{Proc: facts.Proc{Dropped: is(needsBind)}}, "before the drop"},
		{"the whole uid map", (*look).uidMap, facts.Facts{Net: facts.Net{UIDMap: is(facts.WholeMap)}}, nothing},
		{"another uid map", (*look).uidMap, facts.Facts{Net: facts.Net{UIDMap: is("0 1000 1")}}, "0 1000 1"},
		{"the initial user namespace", (*look).child, facts.Facts{Net: facts.Net{UserNS: is(facts.InitialUserNS), UIDMap: is(facts.WholeMap)}}, nothing},
		{"another user namespace", (*look).child, facts.Facts{Net: facts.Net{UserNS: is("user:[7]"), UIDMap: is(facts.WholeMap)}}, "user:[7] is not"},
		{"binds that are let through", (*look).probes, facts.Facts{Policy: facts.Policy{Probes: is([]facts.Probe{{Network: "tcp4"}})}}, "allowed"},
		{"binds that are not", (*look).probes, facts.Facts{Policy: facts.Policy{Probes: is([]facts.Probe{{Network: "tcp4", Errno: "EPERM"}})}}, "refused: tcp4 EPERM"},
		{"a network namespace of ours", (*look).owner, facts.Facts{Net: facts.Net{Owner: is(facts.OwnerHere), UIDMap: is(facts.WholeMap)}}, nothing},
		{"a network namespace of somebody outside", (*look).owner, facts.Facts{Net: facts.Net{Owner: is(facts.OwnerOutside), UIDMap: is(facts.WholeMap)}}, "outside user namespace owns"},
		{"what a profile withholds", (*look).withheld, facts.Facts{Policy: facts.Policy{Withheld: is(needsBind)}}, "hides cap_net_bind_service"},
		{"what a profile withholds besides", (*look).withheld, facts.Facts{Policy: facts.Policy{Withheld: is(caps.SetOf(caps.CHOWN))}}, nothing},
		{"a socket of ours", (*look).holder, facts.Facts{Net: facts.Net{Sockets: is([]facts.Socket{{Network: "tcp", Listen: true, FD: 3, Self: true}})}}, "(descriptor 3)"},
		{"no filter", (*look).seccomp, facts.Facts{Proc: facts.Proc{Seccomp: is(0)}}, "no filter"},
		{"a filter", (*look).seccomp, facts.Facts{Proc: facts.Proc{Seccomp: is(2)}}, "filtered"},
		{"capabilities for another root", (*look).file, facts.Facts{File: facts.File{Exe: facts.Image{Caps: is(caps.File{Version: 3, RootID: 7, Permitted: needsBind})}}}, "rootid=7"},
		{"capabilities for every root", (*look).file, facts.Facts{File: facts.File{Exe: facts.Image{Caps: is(caps.File{Version: 2, Permitted: needsBind})}}}, "cap_net_bind_service=p"},
	} {
		l := &look{f: &tt.f, g: Goal{Network: "tcp", Port: 443}, w: World{Facts: &tt.f}}
		tt.show(l)
		said := ""
		for _, e := range l.seen {
			if !strings.Contains(e.Says, unknown) {
				said += e.Says
			}
		}
		if tt.want == nothing && said != "" || !strings.Contains(said, tt.want) {
			t.Errorf("%s: %q, want %q", tt.name, said, tt.want)
		}
		if strings.Contains(said, "rootid") && tt.want != "rootid=7" {
			t.Errorf("%s: %q", tt.name, said)
		}
	}
	other := facts.Facts{Net: facts.Net{Sockets: is([]facts.Socket{{Network: "tcp", Listen: true}})}}
	l := &look{f: &other, w: World{Facts: &other}}
	if l.holder(); strings.Contains(l.seen[0].Says, "descriptor") {
		t.Errorf("a socket of another: %q", l.seen[0].Says)
	}
}
