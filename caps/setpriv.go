package caps

import "strconv"

// ParseSetpriv applies a list of setpriv(1), such as "-all,+net_bind_service",
// to s, from left to right: the argument of its --inh-caps, --ambient-caps and
// --bounding-set. Names have no "cap_", but one is accepted; "cap_41" is a
// capability by number. The error is a [*ParseError].
func (s Set) ParseSetpriv(list string) (Set, error) {
	const form = "setpriv capability list"
	for i := 0; ; {
		if i == len(list) || list[i] != '+' && list[i] != '-' {
			return 0, bad(form, list, i, "want + or - before a capability")
		}
		add := list[i] == '+'
		i++
		start := i
		for i < len(list) && list[i] != ',' {
			i++
		}
		t, ok := lookupSet(list[start:i])
		switch {
		case !ok:
			return 0, noSuchName(form, list, start, list[start:i])
		case add:
			s |= t
		default:
			s &^= t
		}
		if i == len(list) {
			return s, nil
		}
		i++
	}
}

// Setpriv returns the list of setpriv(1) that makes s of any set: "-all" and
// what s has, as in "-all,+net_bind_service".
func (s Set) Setpriv() string {
	b := []byte("-all")
	for c := range s.All() {
		b = append(b, ",+"...)
		if int(c) < len(names) {
			b = append(b, names[c][len("cap_"):]...)
		} else {
			b = strconv.AppendUint(append(b, "cap_"...), uint64(c), 10)
		}
	}
	return string(b)
}
