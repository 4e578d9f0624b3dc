package facts

import (
	"slices"
	"strings"

	"github.com/lowport/lowport/caps"
)

// BoundingTakers are the directives of a unit that take capabilities from its bounding set,
// whatever CapabilityBoundingSet= says (systemd.exec(5)).
var BoundingTakers = []struct {
	Directive string
	Set       caps.Set
}{
	{"PrivateDevices", caps.SetOf(caps.MKNOD, caps.SYS_RAWIO)},
	{"ProtectKernelModules", caps.SetOf(caps.SYS_MODULE)},
	{"ProtectKernelLogs", caps.SetOf(caps.SYSLOG)},
	{"ProtectClock", caps.SetOf(caps.SYS_TIME, caps.WAKE_ALARM)},
}

// UnitFilters are the directives of a unit that set a seccomp filter (systemd.exec(5)). A later
// line with the same directive adds to an earlier one.
var UnitFilters = []string{"RestrictAddressFamilies", "SystemCallFilter"}

// FiltersIn returns those of UnitFilters that are set once systemd has read the files in this
// order. An empty value takes back what stands before it.
func FiltersIn(files ...string) []string {
	set := map[string]bool{}
	for _, text := range files {
		section := ""
		text = strings.ReplaceAll(text, "\\\n", " ")
		for line := range strings.Lines(text) {
			line = strings.TrimSpace(line)
			key, value, isSetting := strings.Cut(line, "=")
			key = strings.TrimSpace(key)
			switch {
			case strings.HasPrefix(line, "["):
				section = line
			case isSetting && section == "[Service]" && slices.Contains(UnitFilters, key):
				set[key] = strings.TrimSpace(value) != ""
			}
		}
	}
	return slices.DeleteFunc(slices.Clone(UnitFilters), func(key string) bool { return !set[key] })
}
