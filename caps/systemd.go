package caps

import (
	"strconv"
	"strings"
)

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
// capability may be its number from 0 to 63 as well, in decimal, hexadecimal ("0xa"), octal
// ("012", "0o12") or binary ("0b1010"). What systemd would pass over with a
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
	if n, ok := systemdNumber(word); ok {
		return Set(1) << n, n < 64
	}
	c, ok := lookup(word)
	return Set(1) << c, ok && strings.EqualFold(word, c.String())
}

// systemdNumber reads a number as safe_atoi does: mangle_base knows "0b" and "0o", and
// strtol(3) a sign, "0x" and a leading zero.
func systemdNumber(word string) (n uint64, ok bool) {
	digits, base := strings.TrimPrefix(word, "+"), 10
	switch lower := strings.ToLower(digits); {
	case strings.HasPrefix(word, "0b"):
		digits, base = digits[2:], 2
	case strings.HasPrefix(word, "0o"):
		digits, base = digits[2:], 8
	case strings.HasPrefix(lower, "0x"):
		digits, base = digits[2:], 16
	case strings.HasPrefix(lower, "0"):
		base = 8
	}
	n, err := strconv.ParseUint(digits, base, 31)
	return n, err == nil
}
