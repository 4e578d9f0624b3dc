package remedy

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"

	"github.com/lowport/lowport/guard/report"
	"github.com/lowport/lowport/internal/facts"
	"github.com/lowport/lowport/internal/term"
)

// network sets a sysctl of the network namespace, for every process in it. In the machine's
// own namespace a file makes it last. when says in what case it helps, "" for always.
func network(f *facts.Facts, when, setting, file string) (report.Fix, bool) {
	if when != "" {
		when += ", "
	}
	o, known := f.Launcher.Operator.Is()
	enter, named := byName(f)
	fix := report.Fix{Scope: "host", Summary: cmp.Or(when, "on the host, ") + "for every process", Lasts: "the first line until reboot, the file for good",
		Steps: []report.Step{{Run: sudo(f, append(enter, "sysctl", "-w", setting)...)}}}
	switch {
	case o.NoSysctl, !named && ((apart(f) || known || sandboxed(f)) && !o.SameNet || mayBePrivate(f)):
		return report.Fix{}, false
	case named:
		fix.Scope, fix.Lasts = "netns", "until that is deleted"
		fix.Summary = when + "for every process in the network namespace " + term.Show(f.Net.Name.Value)
	case apart(f), f.Launcher.Sandbox.Value && f.Net.Apart.State != facts.Known:
		fix.Scope, fix.Lasts = "netns", "until that is deleted"
		fix.Summary = when + "for every process in this network namespace, in the shell that started the program"
	case o.OtherRoot:
		fix.Lasts = "until reboot"
	default:
		fix.Steps = append(fix.Steps, report.Step{Write: file, Content: setting + "\n"})
	}
	return fix, true
}

// byName returns the words that run a command in this network namespace. It reports false if
// that is the machine's, or has no name that ip-netns(8) accepts.
func byName(f *facts.Facts) (words []string, ok bool) {
	name, ok := f.Net.Name.Is()
	if !ok || !apart(f) || strings.HasPrefix(name, "-") {
		return nil, false
	}
	return []string{"ip", "netns", "exec", name}, true
}

// entering returns the words in front of a command that has to run in this network namespace:
// none if the operator is in it. An unknown operator is taken to be in the machine's, but outside of
// a sandbox. It reports false if the operator cannot enter it, for want of a name.
func entering(f *facts.Facts) (words []string, ok bool) {
	o, known := f.Launcher.Operator.Is()
	switch {
	case sandboxed(f):
		return nil, false
	case known && o.SameNet, !known && !apart(f):
		return nil, true
	}
	return byName(f)
}

// sandboxed reports whether nobody types commands where the program runs: what started it is
// process 1 there. Whatever the operator starts outside is not in the sandbox.
func sandboxed(f *facts.Facts) bool {
	_, known := f.Launcher.Operator.Is()
	return !known && f.Launcher.Sandbox.Value
}

// mayBePrivate reports whether a service may have the network of PrivateNetwork=, which has the
// addresses of the loopback interface alone. It is for when process 1 is hidden.
func mayBePrivate(f *facts.Facts) bool {
	all, known := f.Net.Addresses.Is()
	beyond := slices.ContainsFunc(all, func(a netip.Addr) bool { return !a.IsLoopback() })
	return f.Launcher.Unit.State == facts.Known && f.Net.Apart.State != facts.Known && known && !beyond
}

// apart reports whether this network namespace is another than the machine's. If process 1 is
// hidden, a name shows it: the machine's has none.
func apart(f *facts.Facts) bool {
	is, known := f.Net.Apart.Is()
	return is || !known && f.Net.Name.State == facts.Known
}
