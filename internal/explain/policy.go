package explain

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"syscall"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/guard/report"
	"github.com/lowport/lowport/internal/facts"
	"github.com/lowport/lowport/internal/rules"
	"github.com/lowport/lowport/internal/term"
)

// policy finds what kind of security policy refused a bind that the port check
// would have let through. Policies leave few traces: the kind is told by what
// else is refused, and is likely at best.
func (l *look) policy() []report.Cause {
	var errno syscall.Errno
	errors.As(l.err, &errno)
	probes := l.probes()
	mode, _ := l.seccomp()
	l.summary["seccomp"] = "a seccomp filter refuses " + l.call()
	all, tcp, udp := refusals(probes)
	switch {
	case mode == 2 && all:
		// A filter sees no address: it refuses every bind or none.
		l.snap("seccomp")
		return []report.Cause{{ID: "seccomp", Certainty: report.Likely}}
	case l.selinux():
		return []report.Cause{{ID: "selinux", Certainty: report.Likely}}
	case l.apparmor():
		l.snap("apparmor")
		return []report.Cause{{ID: "apparmor", Certainty: report.Likely}}
	case mode == 2 && l.call() != "bind":
		l.detail["seccomp"] = "binds to port 0 are let through, and " + l.call() + " is not; in a unit see SystemCallFilter=, in a container its seccomp profile"
		return []report.Cause{{ID: "seccomp", Certainty: report.Likely}}
	case errno == syscall.EACCES && tcp && !udp && l.g.Protocol() == "tcp":
		return []report.Cause{{ID: "landlock", Certainty: report.Likely}}
	case errno == syscall.EPERM:
		c := report.Cause{ID: "bpf-or-policy", Certainty: report.Likely}
		if lsms, ok := l.f.Policy.LSMs.Is(); ok && mode == 0 && l.f.Proc.Seccomp.State == facts.Known && quiet(lsms) {
			c.Certainty = report.Proven
		}
		return []report.Cause{c}
	default:
		return []report.Cause{l.guess("unknown")}
	}
}

// call is the system call that was refused: socket, setsockopt, bind or listen.
func (l *look) call() string {
	if call := (*os.SyscallError)(nil); errors.As(l.err, &call) {
		return call.Syscall
	}
	return "bind"
}

func (l *look) seccomp() (mode int, known bool) {
	return see(l, "Seccomp", l.f.Proc.Seccomp, strconv.Itoa, func(n int) string {
		if n == 0 {
			return "Seccomp 0: no filter"
		}
		return fmt.Sprintf("Seccomp %d: system calls are filtered", n)
	})
}

// hidden tells whether a filter hides what the kernel says it does not have, or the
// kernel has not got it. A BPF program of the cgroup that answers so leaves no trace.
func (l *look) hidden(id, filtered, lacking string) report.Cause {
	c := l.guess(id)
	switch mode, known := l.seccomp(); {
	case !known:
		return c
	case mode == 0:
		l.detail[id] = lacking
	default:
		l.detail[id] = filtered
	}
	c.Certainty = report.Likely
	return c
}

// probes looks at the binds that take no privilege.
func (l *look) probes() []facts.Probe {
	probes, _ := see(l, "probes", l.f.Policy.Probes,
		func(all []facts.Probe) string { return fmt.Sprint(all) },
		func(all []facts.Probe) string {
			var refused []string
			for _, p := range all {
				if p.Refused() {
					refused = append(refused, p.Network+" "+p.Errno)
				}
			}
			if len(refused) == 0 {
				return "binds to port 0 are allowed"
			}
			return "binds to port 0 are refused: " + strings.Join(refused, ", ")
		})
	return probes
}

// refusals sums the probes up: whether all were refused, all of TCP, any of UDP.
func refusals(probes []facts.Probe) (all, tcp, udp bool) {
	all, tcp = len(probes) > 0, len(probes) > 0
	for _, p := range probes {
		switch {
		case p.Errno != "" && !p.Refused():
			continue // no such family here
		case strings.HasPrefix(p.Network, "tcp"):
			tcp = tcp && p.Refused()
		default:
			udp = udp || p.Refused()
		}
		all = all && p.Refused()
	}
	return all, tcp, udp
}

func (l *look) selinux() bool {
	if enforcing, ok := l.f.Policy.Enforcing.Is(); !ok || !enforcing {
		return false
	}
	see(l, "SELinux", l.f.Policy.Enforcing, yesNo, func(bool) string { return "SELinux enforces" })
	see(l, "label", l.f.Policy.Label, term.Show, func(s string) string { return "this process is " + term.Show(s) })
	return true
}

// apparmor looks for a profile: a label that is not "unconfined", such as
// "/usr/sbin/app (enforce)".
func (l *look) apparmor() bool {
	name, ok := rules.Profile(l.f)
	if !ok {
		return false
	}
	see(l, "label", l.f.Policy.Label, term.Show, func(s string) string { return "AppArmor profile " + term.Show(s) })
	if rules.Policy(l.f, l.g) == rules.No {
		l.detail["apparmor"] = "binds that need no privilege are refused too, and the profile " + term.Show(name) + " is enforced: it needs `network inet " + l.stream() + ",` and `network inet6 " + l.stream() + ",`; the kernel's log names what was denied"
	}
	return true
}

// snap adds what a snap lacks that may not bind. snapd names its profiles
// snap.NAME.APP, and makes the filter of the same plugs.
func (l *look) snap(id string) {
	label, _ := l.f.Policy.Label.Is()
	m := snapProfile.FindStringSubmatch(label)
	if m == nil {
		return
	}
	see(l, "label", l.f.Policy.Label, term.Show, func(s string) string { return "AppArmor profile " + term.Show(s) })
	if l.detail[id] == "" {
		l.detail[id] = words(l.f, l.g, l.about(id)).Replace(catalogue[id].detail)
	}
	l.detail[id] += "; a snap may bind once its plug is connected, which it has to declare: `snap connect " + m[1] + ":network-bind`, run as root"
}

var snapProfile = regexp.MustCompile(`^snap\.([a-z0-9-]+(?:_[a-z0-9]+)?)\.`)

func (l *look) stream() string {
	return map[string]string{"tcp": "stream", "udp": "dgram"}[l.g.Protocol()]
}

// withheld looks whether the thread holds what it needs and a profile does not
// let it use that. Only AppArmor is known to answer capget(2) so; where that did
// not show it, it is not looked at.
func (l *look) withheld() bool {
	if rules.Granted(l.f, l.g.Need()) != rules.No {
		return false
	}
	l.set("CapPrm", permitted)
	see(l, "withheld", l.f.Policy.Withheld, caps.Set.Hex, func(s caps.Set) string { return "capget(2) hides " + (s & l.g.Need()).String() })
	profile := "the AppArmor profile"
	label, _ := see(l, "label", l.f.Policy.Label, term.Show, func(s string) string { return "AppArmor profile " + term.Show(s) })
	if name, ok := rules.Profile(l.f); ok {
		profile += " " + term.Show(name)
	} else if label == "unconfined" {
		l.unsure = true // some other module then
	}
	l.detail["apparmor"] = profile + " does not grant " + l.g.Need().String() + ", whoever holds it; it needs the line `" + rules.ProfileRules(l.f, l.g)[0] + "`"
	return true
}

// confined looks for a profile that would have to grant the capability too, once
// it is held.
func (l *look) confined() []report.Cause {
	if rules.Granted(l.f, l.g.Need()) != rules.Unknown {
		return nil
	}
	name, _ := rules.Profile(l.f)
	see(l, "label", l.f.Policy.Label, term.Show, func(s string) string { return "AppArmor profile " + term.Show(s) })
	l.summary["apparmor"] = "an AppArmor profile may withhold " + l.g.Need().String()
	l.detail["apparmor"] = "the profile " + term.Show(name) + " is enforced, and a capability counts only with the line `" + strings.Join(rules.ProfileRules(l.f, l.g), " ") + "`"
	return []report.Cause{{ID: "apparmor", Certainty: report.Possible}}
}

// quiet says whether none of the security modules can refuse a bind with EPERM.
func quiet(lsms string) bool {
	for name := range strings.SplitSeq(lsms, ",") {
		switch name {
		case "capability", "lockdown", "yama", "landlock", "safesetid", "loadpin", "integrity", "ima", "evm":
		default:
			return false
		}
	}
	return true
}
