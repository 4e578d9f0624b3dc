package kernel

import (
	"strings"
	"syscall"

	"github.com/lowport/lowport/internal/errnos"
	"github.com/lowport/lowport/internal/facts"
	"github.com/lowport/lowport/internal/term"
)

// policyObstacles names the kind of security policy that refuses an attempt, and the kind that
// would refuse it next. Policies leave few traces: what else they refuse shows the kind.
func policyObstacles(f *facts.Facts, g Goal, a attempt) []string {
	mode, _ := f.Proc.Seccomp.Is()
	tcp, udp := probed(f, "tcp"), probed(f, "udp")
	enforcing, _ := f.Policy.Enforcing.Is()
	_, confined := Profile(f)
	errno := policyErrno(f, g, a)
	if errno == "" {
		errno = errnos.Name(g.Refused.Errno)
	}
	by := answeredBy(f, g, a)
	locked := landlocked(f, g, a) && !allowsPort(f, g)
	switch {
	case by == facts.ByFilter, by == "" && mode == 2 && tcp != "" && tcp == udp: // a filter cannot see the address: it refuses every bind or none
		return []string{"seccomp"}
	case enforcing:
		return []string{"selinux"}
	case confined:
		return []string{"apparmor"}
	case mode == 2 && by != facts.ByKernel && g.Refused.Call == "socket":
		return []string{"seccomp"}
	case locked && udp == "":
		return []string{"landlock"}
	case locked:
		return []string{"landlock", "bpf-or-policy"}
	case errno == "EPERM" || g.Refused.Errno == 0:
		return []string{"bpf-or-policy"}
	default:
		return []string{"unknown"}
	}
}

// setupCause names what refuses to set an option of the socket. To those that package net sets itself
// only a filter, or a BPF program of the cgroup (BPF_CGROUP_SETSOCKOPT), says no.
func setupCause(f *facts.Facts, g Goal) string {
	filter, _ := f.Proc.Seccomp.Is()
	switch {
	case g.Refused.setup():
		return "control-refused"
	case filter == 2:
		return "seccomp"
	}
	return "bpf-or-policy"
}

// listenCause names the kind of policy that refuses listen(2). The kernel asks neither Landlock
// nor a cgroup BPF program there.
func listenCause(f *facts.Facts, g Goal) string {
	mode, _ := f.Proc.Seccomp.Is()
	enforcing, _ := f.Policy.Enforcing.Is()
	switch _, confined := Profile(f); {
	case enforcing:
		return "selinux"
	case confined:
		return "apparmor"
	case mode == 2:
		return "seccomp"
	case g.Refused.Errno == syscall.EPERM || g.Refused.Errno == 0:
		return "bpf-or-policy"
	}
	return "unknown"
}

// answeredBy returns what refuses the probes of an attempt, "" if that is not known.
func answeredBy(f *facts.Facts, g Goal, a attempt) (by facts.By) {
	for _, p := range f.Policy.Probes.Value {
		if a.asksAs(p.Network, g) && p.Refused() {
			by = p.By
		}
	}
	return by
}

// probed returns the errno with which a policy refuses every probe of a protocol, "" if it
// allows one. It skips families that the kernel does not have.
func probed(f *facts.Facts, protocol string) (errno string) {
	for _, p := range f.Policy.Probes.Value {
		switch {
		case !strings.HasPrefix(p.Network, protocol), p.Errno != "" && !p.Refused(): // no such family here
			continue
		case p.Errno == "":
			return ""
		}
		errno = p.Errno
	}
	return errno
}

// onlyBPF reports whether only a BPF program of the cgroup can have answered EPERM: there is
// no filter, and no security module that answers a bind with EPERM.
func onlyBPF(f *facts.Facts, g Goal) bool {
	mode, known := f.Proc.Seccomp.Is()
	lsms, ok := f.Policy.LSMs.Is()
	if !known || mode != 0 || !ok {
		return false
	}
	for name := range strings.SplitSeq(lsms, ",") {
		switch name {
		case "capability", "lockdown", "yama", "landlock", "safesetid", "loadpin", "integrity", "ima", "evm":
		default:
			return false
		}
	}
	return g.Refused.Errno == syscall.EPERM
}

// withholds reports whether the AppArmor profile withholds something that the goal needs and the
// thread holds.
func withholds(f *facts.Facts, g Goal) bool { return f.Policy.Withheld.Value&g.Need() != 0 }

// saySeccomp names the call that the filter refuses.
func saySeccomp(l *look, w wording) wording {
	call := l.g.Refused.Call
	switch {
	case l.w.Unseen == "listen" && call != "listen":
		return wording{"a seccomp filter refuses listen",
			"an MPTCP socket, which package net tries first, may be bound here and was refused all the same, which only a filter on listen(2) explains; in a unit see SystemCallFilter=, in a container its seccomp profile"}
	case l.g.Refused.Capset != 0:
		call = "capset"
		if l.f.Policy.Granted.Reason == errnos.Name(l.g.Refused.Capset) {
			call = "capget" // which comes before it
		}
		return wording{"a seccomp filter refuses " + call + ", so that {cap} cannot be made effective",
			"the program may not raise what is permitted: in a unit see SystemCallFilter=, in a container its seccomp profile; an ambient capability or =+ep on the file need no " + call}
	case l.w.Unseen == "setup":
		return wording{"a seccomp filter refuses setsockopt",
			"package net sets options of every socket (SO_REUSEADDR, IPV6_V6ONLY); in a unit see SystemCallFilter=, in a container its seccomp profile"}
	case call != "" && call != "bind" && !l.g.Refused.setup():
		w.detail = "binds to port 0 are let through, and " + call + " is not; in a unit see SystemCallFilter=, in a container its seccomp profile"
	default:
		call = "bind"
	}
	w.summary = "a seccomp filter refuses " + call
	return l.snap(w)
}

// sayAppArmor says what the profile has to grant.
func sayAppArmor(l *look, w wording) wording {
	name, confined := Profile(l.f)
	profile := "the AppArmor profile"
	if confined {
		profile += " " + term.Show(name)
	}
	switch stream := l.g.stream(); {
	case withholds(l.f, l.g):
		w.detail = profile + " does not grant " + l.g.Need().String() + ", whoever holds it; it needs the line `" + ProfileRules(l.f, l.g)[0] + "`"
		return w
	case Policy(l.f, l.g) == No:
		w.detail = "binds that need no privilege are refused too, and the profile " + term.Show(name) + " is enforced: it needs `network inet " + stream + ",` and `network inet6 " + stream + ",`; the kernel's log names what was denied"
	case Granted(l.f, l.g.Need()) == Unknown:
		return wording{"an AppArmor profile may withhold " + l.g.Need().String(),
			"the profile " + term.Show(name) + " is enforced, and a capability counts only with the line `" + strings.Join(ProfileRules(l.f, l.g), " ") + "`"}
	}
	return l.snap(w)
}

// snap adds which plug a snap needs that may not bind. snapd names its profiles snap.NAME.APP,
// and makes the seccomp filter from the same plugs.
func (l *look) snap(w wording) wording {
	label, _ := l.f.Policy.Label.Is()
	name, isSnap := snapOf(label)
	if !isSnap {
		return w
	}
	l.label()
	w.detail += "; a snap may bind once its plug is connected, which it has to declare: `snap connect " + name + ":network-bind`, run as root"
	return w
}

// snapOf returns the name of the snap whose profile has the label. A name has lower-case
// letters, digits and hyphens, and may end in "_" and the key of an instance.
func snapOf(label string) (name string, ok bool) {
	prefix, rest, _ := strings.Cut(label, ".")
	name, _, isApp := strings.Cut(rest, ".")
	const letters = "abcdefghijklmnopqrstuvwxyz0123456789"
	snap, instance, isInstance := strings.Cut(name, "_")
	return name, prefix == "snap" && isApp && snap != "" && strings.Trim(snap, letters+"-") == "" &&
		(instance != "" || !isInstance) && strings.Trim(instance, letters) == ""
}

// socketCause names why no socket of the family can be made.
func socketCause(w World, g Goal, a attempt) string {
	errno := socketErrno(w.Facts, g, a)
	if errno == "" {
		errno = errnos.Name(g.Refused.Errno)
	}
	switch errno {
	case "EAFNOSUPPORT":
		return "family-unavailable"
	case "EPROTONOSUPPORT":
		return "protocol-unavailable"
	case "EMFILE", "ENFILE", "ENOBUFS", "ENOMEM":
		return "resource-limit"
	}
	return "unknown"
}

// hidden returns a say function that gives one of two details, if the seccomp mode is known:
// filtered if a filter is set, so that it may hide what the kernel has, else lacking.
func hidden(filtered, lacking string) func(*look, wording) wording {
	return func(l *look, w wording) wording {
		switch mode, known := l.f.Proc.Seccomp.Is(); {
		case known && mode == 0:
			w.detail = lacking
		case known:
			w.detail = filtered
		}
		return w
	}
}

// namespaceCause names the cause by the user namespace in which the capability would count. Only a
// raised threshold asks for one at a port that is unprivileged by default.
func namespaceCause(w World, g Goal) string {
	if g.Threshold() {
		return "threshold-raised"
	}
	outside := w.Facts.Net.Owner.State != facts.Known || w.Facts.Net.Owner.Value == facts.OwnerOutside
	if g.Need()&Network != 0 && outside && InInitial(w.Facts) != Yes {
		return "foreign-user-namespace"
	}
	return "initial-user-namespace"
}

// addressCause names why the address cannot be bound.
func addressCause(f *facts.Facts, g Goal) string {
	if !Fit(g) || g.Refused.Errno == syscall.EINVAL {
		return "address-invalid"
	}
	tentative, _ := f.Net.Tentative.Is()
	for _, a := range tentative {
		if a == g.Addr.WithZone("") {
			return "address-tentative"
		}
	}
	return "address-unavailable"
}
