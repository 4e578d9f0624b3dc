package caps

import "strings"

// Systemd returns s as a value of CapabilityBoundingSet= or
// AmbientCapabilities= in systemd.exec(5): upper-case names and spaces.
func (s Set) Systemd() string { return strings.Join(s.OCI(), " ") }

// ParseSystemd reads the successive values of one CapabilityBoundingSet= or
// AmbientCapabilities= setting, as systemd merges them: a list adds its
// capabilities, a list after "~" removes them, the empty value resets to the
// empty set and "~" alone to the full set. If the first value starts with "~",
// what it removes is removed from the full set. Full is [UpTo] of [Last].
// The error is a [*ParseError].
func ParseSystemd(values ...string) (Set, error) {
	var s Set
	for i, value := range values {
		rest, invert := strings.CutPrefix(value, "~")
		list, err := parseList("systemd capability list", value, len(value)-len(rest))
		switch {
		case err != nil:
			return 0, err
		case i == 0 || list == 0:
			if s = list; invert {
				s = UpTo(Last) &^ list
			}
		case invert:
			s &^= list
		default:
			s |= list
		}
	}
	return s, nil
}
