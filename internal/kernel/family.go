package kernel

import "github.com/lowport/lowport/internal/facts"

// verdict sums up the probes that were made for an attempt: the errno of the last one, and
// whether all of them were answered as fits says. Where those of MPTCP were not made,
// TCP's stand for them; facts without probes show nothing.
func verdict(f *facts.Facts, g Goal, a attempt, fits func(facts.Probe) bool) string {
	errno, made := "", false
	for _, p := range f.Policy.Probes.Value {
		if !a.asksAs(p.Network, g) {
			continue
		}
		if made = true; !fits(p) {
			return ""
		}
		errno = p.Errno
	}
	if !made && a.mptcp {
		return verdict(f, g, attempt{}, fits)
	}
	return errno
}

// SocketErrno names the errno with which every socket of the goal's protocol and
// families is refused, "" where one of them can be made. Facts without probes lack
// no family.
func SocketErrno(f *facts.Facts, g Goal) string { return socketErrno(f, g, attempt{}) }

func socketErrno(f *facts.Facts, g Goal, a attempt) string {
	return verdict(f, g, a, func(p facts.Probe) bool { return p.Errno != "" && !p.Refused() })
}

// policyErrno names the errno with which a policy, and not the port check, refuses binds
// of the goal's families that need no privilege, "" where one of the families is let
// through.
func policyErrno(f *facts.Facts, g Goal, a attempt) string {
	return verdict(f, g, a, facts.Probe.Refused)
}

// policyWhen says when the policy refuses that policyErrno is of, "" where that is not known.
func policyWhen(f *facts.Facts, g Goal) facts.When {
	var when facts.When
	for _, p := range f.Policy.Probes.Value {
		switch {
		case !(attempt{}).asksAs(p.Network, g):
		case p.When == "", when != "" && p.When != when:
			return ""
		default:
			when = p.When
		}
	}
	return when
}

// Policy reports whether binds that need no privilege are let through in some attempt.
func Policy(f *facts.Facts, g Goal) Answer {
	for _, a := range g.attempts() {
		if policyErrno(f, g, a) == "" {
			return Yes
		}
	}
	return No
}
