package facts

import (
	"slices"
	"strings"
)

// UnitFilters are the directives of a unit that have a filter answer its system calls
// (systemd.exec(5)). Of two that a unit has, the later adds to the earlier.
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
