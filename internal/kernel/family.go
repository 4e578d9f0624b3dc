package kernel

import (
	"slices"

	"github.com/lowport/lowport/internal/facts"
)

// probed are the probes that were made for an attempt. Where those of MPTCP were not
// made, TCP's stand for them.
func probed(f *facts.Facts, g Goal, a attempt) []facts.Probe {
	var all []facts.Probe
	known, _ := f.Policy.Probes.Is()
	for _, p := range known {
		if slices.Contains(a.probes(g), p.Network) {
			all = append(all, p)
		}
	}
	if len(all) == 0 && a.mptcp {
		return probed(f, g, attempt{})
	}
	return all
}

// SocketErrno names the errno with which every socket of the goal's protocol and
// families is refused, "" where one of them can be made. Facts without probes lack
// no family.
func SocketErrno(f *facts.Facts, g Goal) string { return socketErrno(f, g, attempt{}) }

func socketErrno(f *facts.Facts, g Goal, a attempt) string {
	errno := ""
	for _, p := range probed(f, g, a) {
		if p.Errno == "" || p.Refused() {
			return ""
		}
		errno = p.Errno
	}
	return errno
}

// policyErrno names the errno with which a policy, and not the port check, refuses binds
// of the goal's families that need no privilege, "" where one of the families is let
// through. Facts without probes show no policy.
func policyErrno(f *facts.Facts, g Goal, a attempt) string {
	errno := ""
	for _, p := range probed(f, g, a) {
		if !p.Refused() {
			return ""
		}
		errno = p.Errno
	}
	return errno
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
