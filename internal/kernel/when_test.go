package kernel_test

import (
	. "github.com/lowport/lowport/internal/kernel"
	"testing"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/internal/facts"
)

// A policy that refuses once the socket is bound comes behind the port check, and so does
// what is predicted of it.
func TestPolicyWhen(t *testing.T) {
	f := web()
	f.Proc.Seccomp = known(0)
	probes := func(a, b facts.When) facts.Fact[[]facts.Probe] {
		return known([]facts.Probe{{Network: "tcp4", Errno: "EPERM", When: a}, {Network: "tcp6", Errno: "EPERM", When: b}})
	}
	for _, tt := range []struct {
		four, six facts.When
		want      string
	}{
		{facts.BeforePort, facts.BeforePort, "EPERM"},
		{facts.AfterPort, facts.AfterPort, "EACCES"},
		{"", "", "EPERM"},
		{facts.AfterPort, facts.BeforePort, "EPERM"},
	} {
		f.Policy.Probes = probes(tt.four, tt.six)
		g := Goal{Network: "tcp", Port: 443}
		planned := start(f)
		done, err := Predict(Worlds(&planned, g), g)
		if err != nil || done.Errno != tt.want {
			t.Errorf("%q, %q: %s, %v; want %s", tt.four, tt.six, done.Errno, err, tt.want)
		}
		if late := RefusesLate(&planned, g); late != (tt.want == "EACCES") {
			t.Errorf("%q, %q: refuses late %v", tt.four, tt.six, late)
		}
	}
	allowed := start(web())
	if RefusesLate(&allowed, Goal{Network: "tcp", Port: 443}) {
		t.Error("what is allowed is refused late")
	}
}

// MPTCP is asked by its own probes: a policy that does not see it lets the first attempt
// through.
func TestMPTCPProbes(t *testing.T) {
	f := web()
	f.Policy.Probes = known([]facts.Probe{{Network: "tcp4", Errno: "EACCES"}, {Network: "tcp6", Errno: "EACCES"}, {Network: "mptcp4"}, {Network: "mptcp6"}})
	planned := start(f)
	for mptcp, want := range map[bool]string{true: "", false: "EACCES"} {
		g := Goal{Network: "tcp", Port: 8443, MPTCP: mptcp}
		if done, err := Predict(Worlds(&planned, g), g); err != nil || done.Errno != want {
			t.Errorf("mptcp %v: %s, %v; want %s", mptcp, done.Errno, err, want)
		}
	}
}

// What some worlds alone refuse is not executed in none of them for certain.
func TestPredictOpen(t *testing.T) {
	f := web()
	f.Proc.Thread = facts.Fact[caps.State]{}
	planned := start(f)
	g := Goal{Network: "tcp", Port: 443}
	if done, err := Predict(Worlds(&planned, g), g); err == nil || !done.Executed {
		t.Errorf("%+v, %v", done, err)
	}
}

// Where one family is not to be had, a policy that refuses the other one refuses the bind.
func TestPolicyOfOneFamily(t *testing.T) {
	f := web()
	for _, tt := range []struct{ four, six, want string }{
		{"EAFNOSUPPORT", "EPERM", "EPERM"}, {"EPERM", "EAFNOSUPPORT", "EPERM"}, {"EPERM", "EACCES", "EACCES"},
		{"EAFNOSUPPORT", "EAFNOSUPPORT", "EAFNOSUPPORT"}, {"EAFNOSUPPORT", "", ""}, {"", "EPERM", ""},
	} {
		f.Policy.Probes = known([]facts.Probe{{Network: "tcp4", Errno: tt.four}, {Network: "tcp6", Errno: tt.six}})
		planned, g := start(f), Goal{Network: "tcp", Port: 8443}
		if done, err := Predict(Worlds(&planned, g), g); err != nil || done.Errno != tt.want {
			t.Errorf("%q, %q: %q, %v; want %q", tt.four, tt.six, done.Errno, err, tt.want)
		}
	}
}
