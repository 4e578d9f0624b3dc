package caps

import "strings"

// Systemd returns s as a value of CapabilityBoundingSet= or
// AmbientCapabilities= in systemd.exec(5): upper-case names and spaces.
func (s Set) Systemd() string { return strings.Join(s.OCI(), " ") }

// ParseSystemd applies the successive values of one setting to s, its default:
// the full set, [UpTo] of [Last], for CapabilityBoundingSet= and the empty one
// for AmbientCapabilities=. As in systemd (config_parse_capability_set) a list
// adds its capabilities, a list after "~" removes them, the empty value resets to
// the empty set and "~" alone to the full set. The first value replaces the
// default instead, and so does each one that finds the set equal to the default.
//
// Names are separated by white space and need their "CAP_", in any case; a
// capability without a name is its number. What systemd would pass over with a
// warning, such as "NET_RAW", "all" or names joined by commas, is an error. The
// error is a [*ParseError].
func (s Set) ParseSystemd(values ...string) (Set, error) {
	initial := s
	for _, value := range values {
		rest, invert := strings.CutPrefix(value, "~")
		list, err := parseList("systemd capability list", value, len(value)-len(rest), isSpace, lookupSystemd)
		switch {
		case err != nil:
			return 0, err
		case list == 0 || s == initial:
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

// lookupSystemd finds what systemd does (capability_from_name): a number, or a
// name with its prefix.
func lookupSystemd(word string) (Set, bool) {
	c, ok := lookup(word)
	return Set(1) << c, ok && (isDigit(word[0]) || strings.EqualFold(word, c.String()))
}
