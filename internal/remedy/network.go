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

// network sets a sysctl of the network namespace, for every process in it: of the
// machine's, for good by a file. when says in what case it helps, "" for always.
func network(f *facts.Facts, when, setting, file string) (report.Fix, bool) {
	if when != "" {
		when += ", "
	}
	o, known := f.Launcher.Operator.Is()
	enter, named := byName(f)
	fix := report.Fix{Scope: "host", Summary: cmp.Or(when, "on the host, ") + "for every process", Lasts: "the first line until reboot, the file for good",
		Steps: []report.Step{{Run: sudo(f, append(enter, "sysctl", "-w", setting)...)}}}
	switch {
	case o.NoSysctl, !named && ((apart(f) || known) && !o.SameNet || sealed(f)):
		return report.Fix{}, false
	case named:
		fix.Scope, fix.Lasts = "netns", "until that is deleted"
		fix.Summary = when + "for every process in the network namespace " + term.Show(f.Net.Name.Value)
	case apart(f):
		fix.Scope, fix.Lasts = "netns", "until that is deleted"
		fix.Summary = when + "for every process in this network namespace, in the shell that started the program"
	case o.OtherRoot:
		fix.Lasts = "until reboot"
	default:
		fix.Steps = append(fix.Steps, report.Step{Write: file, Content: setting + "\n"})
	}
	return fix, true
}

// byName is what runs a command in this network namespace if it is not the machine's and
// has a name that ip-netns(8) does not take for an option.
func byName(f *facts.Facts) (words []string, ok bool) {
	name, ok := f.Net.Name.Is()
	if !ok || !apart(f) || strings.HasPrefix(name, "-") {
		return nil, false
	}
	return []string{"ip", "netns", "exec", name}, true
}

// entering is what stands before a command that is to run in this network namespace:
// nothing where the operator is in it, which where that is unknown is the machine's.
// Another one is reached by its name, if it has one.
func entering(f *facts.Facts) (words []string, ok bool) {
	if o, known := f.Launcher.Operator.Is(); known && o.SameNet || !known && !apart(f) {
		return nil, true
	}
	return byName(f)
}

// sealed says whether a service may have a network of its own where process 1 is hidden:
// that of PrivateNetwork= has no addresses but the loopback interface's.
func sealed(f *facts.Facts) bool {
	all, known := f.Net.Addresses.Is()
	beyond := slices.ContainsFunc(all, func(a netip.Addr) bool { return !a.IsLoopback() })
	return f.Launcher.Unit.State == facts.Known && f.Net.Apart.State != facts.Known && known && !beyond
}

// apart says whether this network namespace is another than the machine's. Where process
// 1 is hidden, a name says so: the machine's has none.
func apart(f *facts.Facts) bool {
	is, known := f.Net.Apart.Is()
	return is || !known && f.Net.Name.State == facts.Known
}
