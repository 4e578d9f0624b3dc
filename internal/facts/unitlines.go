package facts

import (
	"slices"
	"strings"

	"github.com/lowport/lowport/caps"
)

// UnitFolders are where systemd looks for units of the system, the most important first
// (systemd.unit(5)), without the slash in front.
var UnitFolders = []string{
	"etc/systemd/system.control", "run/systemd/system.control", "run/systemd/transient", "run/systemd/generator.early",
	"etc/systemd/system", "etc/systemd/system.attached", "run/systemd/system", "run/systemd/system.attached", "run/systemd/generator",
	"usr/local/lib/systemd/system", "lib/systemd/system", "usr/lib/systemd/system", "run/systemd/generator.late",
}

// OwnDropIn is the name of the drop-ins that are proposed, if it sorts behind those that are there.
const OwnDropIn = "zz-lowport.conf"

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

// Restarts is the directive of a unit that systemd starts anew by itself, until it has reached its
// start limit (systemd.unit(5)).
const Restarts = "Restart"

// FiltersIn returns those of UnitFilters, and Restarts, that are set once systemd has read the files
// in this order. An empty value takes back what stands before it.
func FiltersIn(files ...string) []string {
	set := map[string]bool{}
	eachSetting("[Service]", files, func(key, value string) {
		set[key] = value != "" && (key != Restarts || value != "no")
	})
	all := append(slices.Clone(UnitFilters), Restarts)
	return slices.DeleteFunc(all, func(key string) bool { return !set[key] })
}

// eachSetting calls f for each line of a section in the files of a unit.
func eachSetting(of string, files []string, f func(key, value string)) {
	for _, text := range files {
		section := ""
		text = strings.ReplaceAll(text, "\\\n", " ")
		for line := range strings.Lines(text) {
			line = strings.TrimSpace(line)
			key, value, isSetting := strings.Cut(line, "=")
			switch {
			case strings.HasPrefix(line, "["):
				section = line
			case isSetting && section == of:
				f(strings.TrimSpace(key), strings.TrimSpace(value))
			}
		}
	}
}
