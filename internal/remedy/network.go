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
	enter, ok := entering(f)
	switch {
	case !ok || enter == nil && sealed(f):
		return report.Fix{}, false
	case enter == nil:
		return report.Fix{Scope: "host", Summary: cmp.Or(when, "on the host") + ", for every process", Lasts: "the first line until reboot, the file for good", Steps: []report.Step{
			{Run: sudo(f, "sysctl", "-w", setting)},
			{Write: file, Content: setting + "\n"},
		}}, true
	}
	if when != "" {
		when += ", "
	}
	return report.Fix{Scope: "netns", Summary: when + "for every process in the network namespace " + term.Show(f.Net.Name.Value), Lasts: "until that is deleted", Steps: []report.Step{
		{Run: sudo(f, append(enter, "sysctl", "-w", setting)...)},
	}}, true
}

// entering is what stands before a command that is to run in this network namespace:
// nothing for that of the machine, where the operator is. Another one is reached by its
// name, if it has one.
func entering(f *facts.Facts) (words []string, ok bool) {
	if !apart(f) {
		return nil, true
	}
	name, ok := f.Net.Name.Is()
	if !ok || strings.HasPrefix(name, "-") { // ip-netns(8) would take it for an option
		return nil, false
	}
	return []string{"ip", "netns", "exec", name}, true
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
