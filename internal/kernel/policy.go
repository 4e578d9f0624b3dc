package kernel

import (
	"strings"
	"syscall"

	"github.com/lowport/lowport/internal/errnos"
	"github.com/lowport/lowport/internal/facts"
	"github.com/lowport/lowport/internal/term"
)

// policyCause tells what kind of security policy refuses a bind that the port check would
// let through. Policies leave few traces: the kind is told by what else is refused.
func policyCause(f *facts.Facts, g Goal) string {
	mode, _ := f.Proc.Seccomp.Is()
	all, tcp, udp := refusals(f)
	enforcing, _ := f.Policy.Enforcing.Is()
	_, confined := Profile(f)
	errno := errnos.Name(g.Refused.Errno)
	if probed := policyErrno(f, g, attempt{}); probed != "" {
		errno = probed
	}
	switch {
	case mode == 2 && all: // a filter sees no address: it refuses every bind or none
		return "seccomp"
	case enforcing:
		return "selinux"
	case confined:
		return "apparmor"
	case mode == 2 && g.Refused.Call != "" && g.Refused.Call != "bind":
		return "seccomp"
	case g.Protocol() == "tcp" && tcp && !udp && errno == "EACCES":
		return "landlock"
	case errno == "EPERM" || g.Refused.Errno == 0:
		return "bpf-or-policy"
	default:
		return "unknown"
	}
}

// refusals sums the probes up: whether all were refused, all of TCP, any of UDP.
func refusals(f *facts.Facts) (all, tcp, udp bool) {
	probes, _ := f.Policy.Probes.Is()
	all, tcp = len(probes) > 0, len(probes) > 0
	for _, p := range probes {
		switch {
		case p.Errno != "" && !p.Refused():
			continue // no such family here
		case strings.HasPrefix(p.Network, "mptcp"):
			continue
		case strings.HasPrefix(p.Network, "tcp"):
			tcp = tcp && p.Refused()
		default:
			udp = udp || p.Refused()
		}
		all = all && p.Refused()
	}
	return all, tcp, udp
}

// onlyBPF reports whether nothing but a BPF program of the cgroup can have answered EPERM:
// there is no filter, and none of the security modules does.
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

// withholds reports whether the profile was seen to withhold what the thread holds.
func withholds(f *facts.Facts, g Goal) bool { return f.Policy.Withheld.Value&g.Need() != 0 }

// saySeccomp names the call that the filter refuses.
func saySeccomp(l *look, w wording) wording {
	call := l.g.Refused.Call
	switch {
	case l.g.Refused.Capset != 0:
		call = "capset"
		if l.f.Policy.Granted.Reason == errnos.Name(l.g.Refused.Capset) {
			call = "capget" // which comes before it
		}
		return wording{"a seccomp filter refuses " + call + ", so that {cap} cannot be made effective",
			"the program may not raise what is permitted: in a unit see SystemCallFilter=, in a container its seccomp profile; an ambient capability or =+ep on the file need no " + call}
	case call != "" && call != "bind":
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

// snap adds what a snap lacks that may not bind. snapd names its profiles
// snap.NAME.APP, and makes the filter of the same plugs.
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

// snapOf returns the name of the snap whose profile has the label: of lower-case letters,
// digits and hyphens, perhaps with the key of an instance behind "_".
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

// hidden says whether a filter hides what the kernel says it does not have, or the kernel
// has not got it.
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

// namespaceCause names the user namespace in which the capability would count.
func namespaceCause(w World, g Goal) string {
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
