package kernel

import (
	"slices"
	"strings"

	"github.com/lowport/lowport/internal/facts"
)

// probesOf returns the probes that were made for an attempt. If none was made with MPTCP, it
// returns those of TCP. What a Landlock domain refuses at port 0 but allows at the goal's port shows
// by the late ones of UDP and MPTCP what else would refuse it.
func probesOf(f *facts.Facts, g Goal, a attempt) (all []facts.Probe) {
	if landlocked(f, g, a) && allowsPort(f, g) {
		return lateProbes(f, g)
	}
	for _, p := range f.Policy.Probes.Value {
		if a.asksAs(p.Network, g) {
			all = append(all, p)
		}
	}
	if all == nil && a.mptcp {
		return probesOf(f, g, attempt{})
	}
	return all
}

// lateProbes returns the probes of the goal's families as refused only if that came once a port was
// found free. Then a BPF program of the cgroup refused (BPF_CGROUP_INET4_POST_BIND), which
// Landlock and the check of the address come before, and which is asked for every protocol.
func lateProbes(f *facts.Facts, g Goal) (all []facts.Probe) {
	for _, p := range f.Policy.Probes.Value {
		kind := strings.TrimRight(p.Network, "46")
		if kind == "tcp" || !g.asks(strings.TrimPrefix(p.Network, kind)) {
			continue
		}
		if p.When != facts.AfterPort {
			p.Errno = ""
		}
		all = append(all, p)
	}
	return all
}

// SocketErrno names the errno with which every socket of the goal's protocol and families is
// refused. It returns "" if one of them can be made, or if no probe was made.
func SocketErrno(f *facts.Facts, g Goal) string { return socketErrno(f, g, attempt{}) }

func socketErrno(f *facts.Facts, g Goal, a attempt) string {
	errno := ""
	for _, p := range probesOf(f, g, a) {
		if p.Errno == "" || p.Refused() {
			return ""
		}
		errno = p.Errno
	}
	return errno
}

// policyErrno names the errno with which a policy, and not the port check, refuses binds
// of the goal's families that need no privilege. It returns "" if one of the families is
// allowed. It skips families that the kernel does not have.
func policyErrno(f *facts.Facts, g Goal, a attempt) string {
	errno := ""
	for _, p := range probesOf(f, g, a) {
		switch {
		case p.Refused():
			errno = p.Errno
		case p.Errno == "":
			return ""
		}
	}
	return errno
}

// landlocked reports whether it is a Landlock domain that refuses an attempt: of all policies it
// alone refuses TCP with EACCES, without MPTCP, and leaves UDP alone (hook_socket_bind).
func landlocked(f *facts.Facts, g Goal, a attempt) bool {
	udp := probed(f, "udp")
	return g.Protocol() == "tcp" && !a.mptcp && probed(f, "tcp") == "EACCES" && (udp == "" || udp == "EPERM")
}

// allowsPort reports whether Landlock is known to allow a TCP bind to this very port. It
// has a rule for each port, port 0 included, for both families.
func allowsPort(f *facts.Facts, g Goal) bool {
	return slices.Contains(f.Policy.AtPorts.Value, facts.PortProbe{Port: g.Port, Errno: "EADDRNOTAVAIL"})
}

// policyWhen says when the policy refuses whose errno policyErrno returns, "" if that is not
// known.
func policyWhen(f *facts.Facts, g Goal) facts.When {
	var when facts.When
	for _, p := range probesOf(f, g, attempt{}) {
		switch {
		case !p.Refused():
		case p.When == "", when != "" && p.When != when:
			return ""
		default:
			when = p.When
		}
	}
	return when
}

// RefusesLate reports whether a policy refuses the goal once its socket is bound, after the
// kernel has checked the address and the port.
func RefusesLate(f *facts.Facts, g Goal) bool {
	return policyErrno(f, g, attempt{}) != "" && policyWhen(f, g) == facts.AfterPort
}

// Policy reports whether some attempt allows binds that need no privilege.
func Policy(f *facts.Facts, g Goal) Answer {
	for _, a := range g.attempts() {
		if policyErrno(f, g, a) == "" {
			return Yes
		}
	}
	return No
}
