package kernel_test

import (
	"strings"
	"syscall"
	"testing"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/internal/facts"
	. "github.com/lowport/lowport/internal/kernel"
)

// The way to a bind: which gates the kernel asks, in its order, and what each answers. It goes on
// behind a refusal.
func TestWalk(t *testing.T) {
	refused := func(g Goal, errno syscall.Errno, call string) Goal {
		g.Refused = Refusal{Errno: errno, Call: call}
		return g
	}
	tcp4 := tcp("", 443)
	tcp4.Network = "tcp4"
	mptcp := tcp("", 8443)
	mptcp.MPTCP = true
	landlocked := func(mptcp string) func(*facts.Facts) {
		return func(f *facts.Facts) {
			f.Policy.Probes = known([]facts.Probe{{Network: "tcp4", Errno: "EACCES"}, {Network: "tcp6", Errno: "EACCES"}, {Network: "mptcp4", Errno: mptcp}, {Network: "mptcp6", Errno: mptcp}})
		}
	}
	probed := func(f *facts.Facts) {
		if f.Policy.Probes.State != facts.Known {
			f.Policy.Probes = known([]facts.Probe{})
		}
	}
	unowned := func(f *facts.Facts) { f.Net.Owner = facts.Fact[facts.Owner]{} }
	noListen := func(f *facts.Facts) { f.Launch.Listen = "EPERM" }
	for _, tt := range []struct {
		name string
		f    facts.Facts
		g    Goal
		want string
	}{
		{"a bind that is not permitted", web(), refused(tcp("", 443), syscall.EACCES, "bind"),
			"socket+ setup+ policy+ port- namespace+ permitted- profile+ address+ free+"},
		{"one of IPv4, whose address comes first", web(), refused(tcp4, syscall.EACCES, "bind"),
			"socket+ setup+ policy+ address+ port- namespace+ permitted- profile+ free+"},
		{"a port that takes no privilege", web(), tcp("", 8443), "socket+ setup+ policy+ port+ address+ free+"},
		{"a capability", web(), Goal{Require: bindCap}, "namespace+ permitted- profile+"},
		{"a program before its start", start(web()), tcp("", 443), "start+ socket+ setup+ policy+ port- namespace+ permitted- profile+ address+ free+"},
		{"whose namespace this is cannot be read", with(web(), unowned), Goal{Require: bindCap}, "namespace? permitted- profile+"},
		{"that, of a refusal", with(web(), unowned), refused(tcp("", 443), syscall.EACCES, "bind"),
			"socket+ setup+ policy+ port- namespace+ permitted- profile+ address+ free+"},
		{"a taken port", with(web(), taken), refused(tcp("127.0.0.1", 8443), syscall.EADDRNOTAVAIL, "bind"), "socket+ setup+ policy+ address- port+ free+"},
		{"Landlock does not see MPTCP", with(web(), landlocked("")), mptcp, "socket+ setup+ policy+ port+ address+ free+"},
		{"Landlock without MPTCP", with(web(), landlocked("")), tcp("", 8443), "socket+ setup+ policy- port+ address+ free+"},
		{"Landlock, where there is no MPTCP", with(web(), landlocked("EPROTONOSUPPORT")), mptcp, "socket+ setup+ policy- port+ address+ free+"},
		{"listen is refused", web(), refused(tcp("", 8443), syscall.EPERM, "listen"), "socket+ setup+ policy+ port+ address+ free+ listen-"},
		{"listen will be refused", with(start(web()), noListen), tcp("", 8443), "start+ socket+ setup+ policy+ port+ address+ free+ listen-"},
	} {
		var got []string
		f := with(tt.f, probed)
		for _, s := range Walk(Worlds(&f, tt.g), tt.g) {
			got = append(got, s.Name+map[Answer]string{Yes: "+", No: "-", Unknown: "?"}[s.Answer])
		}
		if s := strings.Join(got, " "); s != tt.want {
			t.Errorf("%s:\n%s, want\n%s", tt.name, s, tt.want)
		}
	}
	if steps := Walk(nil, tcp("", 443)); len(steps) != 0 {
		t.Errorf("no world: %v", steps)
	}
}

// What a planned bind would answer: the errno, the call, and whether the program runs at all.
func TestPredict(t *testing.T) {
	ambient := Ambient(caps.State{Bounding: bindCap}, bindCap)
	for _, tt := range []struct {
		name string
		f    facts.Facts
		g    Goal
		want Outcome
		open string // what the error speaks of
	}{
		{"not permitted", start(web()), tcp("", 443), Outcome{Errno: "EACCES", Executed: true}, ""},
		{"a high port", start(web()), tcp("", 8443), Outcome{Executed: true}, ""},
		{"listen is refused", with(start(web()), func(f *facts.Facts) { f.Launch.Listen = "EPERM" }), tcp("", 8443), Outcome{Errno: "EPERM", Call: "listen", Executed: true}, ""},
		{"nobody knows whether it is free", with(start(web()), func(f *facts.Facts) { f.Net.Sockets = facts.Fact[[]facts.Socket]{} }), tcp("", 8443), Outcome{}, "free"},
		{"nobody knows whether it counts", with(start(with(web(), holding(ambient))), func(f *facts.Facts) { f.Net.Owner = facts.Fact[facts.Owner]{} }), tcp("", 443), Outcome{}, "bound"},
	} {
		got, err := Predict(Worlds(&tt.f, tt.g), tt.g)
		if tt.open == "" && (err != nil || got != tt.want) || tt.open != "" && (err == nil || !strings.Contains(err.Error(), tt.open) || !got.Executed) {
			t.Errorf("%s: %+v, %v", tt.name, got, err)
		}
	}
}

// Whether a policy lets it through is not known where nothing was probed.
func TestWalkUnprobed(t *testing.T) {
	f := web()
	f.Policy.Probes = facts.Fact[[]facts.Probe]{}
	for _, s := range Walk(Worlds(&f, tcp("", 8443)), tcp("", 8443)) {
		if (s.Name == "socket" || s.Name == "policy") && s.Answer != Unknown {
			t.Errorf("%s: %v", s.Name, s.Answer)
		}
	}
}
