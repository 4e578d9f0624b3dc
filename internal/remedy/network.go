package remedy

import (
	"cmp"
	"strings"

	"github.com/lowport/lowport/internal/explain"
	"github.com/lowport/lowport/internal/machine"
)

// network sets a sysctl of the network namespace, for every process in it: of the
// machine's, for good by a file; of another one by its name. One that has no name
// no operator can reach once the program has ended. when says in what case it helps,
// "" for always.
func network(f machine.Facts, when, setting, file string) (Fix, bool) {
	if apart, _ := f.NetApart.Is(); !apart {
		return Fix{Scope: "host", Summary: cmp.Or(when, "on the host") + ", for every process", Lasts: "the first line until reboot, the file for good", Steps: []Step{
			{Run: sudo(f, "sysctl", "-w", setting)},
			{Write: file, Content: setting + "\n"},
		}}, true
	}
	name, ok := f.NetName.Is()
	if !ok || strings.HasPrefix(name, "-") {
		return Fix{}, false
	}
	if when != "" {
		when += ", "
	}
	return Fix{Scope: "netns", Summary: when + "for every process in the network namespace " + explain.Show(name), Lasts: "until that is deleted", Steps: []Step{
		{Run: sudo(f, "ip", "netns", "exec", name, "sysctl", "-w", setting)},
	}}, true
}
