package caps

import "strconv"

// AppendHex appends s as /proc/PID/status prints it: 16 lower-case hex digits.
func (s Set) AppendHex(b []byte) []byte {
	for shift := 60; shift >= 0; shift -= 4 {
		b = append(b, "0123456789abcdef"[s>>shift&15])
	}
	return b
}

// AppendDecode appends s as capsh --decode prints it: the mask, "=", and the
// names, as in "0x0000000000000400=cap_net_bind_service".
func (s Set) AppendDecode(b []byte) []byte {
	b = append(b, "0x"...)
	b = s.AppendHex(b)
	b = append(b, '=')
	return s.appendNames(b)
}

// Decode returns what [Set.AppendDecode] appends.
func (s Set) Decode() string {
	var room [roomForText]byte
	return string(s.AppendDecode(room[:0]))
}

// ParseMask reads a mask of 1 to 16 hex digits, with or without "0x", as in
// the Cap* lines of /proc/PID/status, or a whole line of capsh --decode, whose
// names must then agree with its mask.
func ParseMask(text string) (Set, error) {
	const form = "capability mask"
	i := 0
	if len(text) > 1 && text[0] == '0' && text[1]|0x20 == 'x' {
		i = 2
	}
	start := i
	var s Set
	for ; i < len(text) && text[i] != '='; i++ {
		d, ok := hexDigit(text[i])
		if !ok {
			return 0, bad(form, text, i, "not a hex digit")
		}
		if i-start == 16 {
			return 0, bad(form, text, i, "more than 16 hex digits")
		}
		s = s<<4 | d
	}
	if i == start {
		return 0, bad(form, text, i, "no hex digits")
	}
	if i == len(text) {
		return s, nil
	}
	named, err := parseList(form, text, i+1, isSeparator, lookupSet)
	if err != nil {
		return 0, err
	}
	if named != s {
		return 0, bad(form, text, i+1, "the names make "+named.Hex())
	}
	return s, nil
}

func hexDigit(c byte) (Set, bool) {
	switch {
	case isDigit(c):
		return Set(c - '0'), true
	case 'a' <= c|0x20 && c|0x20 <= 'f':
		return Set(c|0x20-'a') + 10, true
	}
	return 0, false
}

// appendNames appends the names of s in ascending order, joined by commas.
func (s Set) appendNames(b []byte) []byte {
	first := true
	for c := range s.All() {
		if !first {
			b = append(b, ',')
		}
		b, first = c.append(b), false
	}
	return b
}

func (c Cap) append(b []byte) []byte {
	if int(c) < len(names) {
		return append(b, names[c]...)
	}
	return strconv.AppendUint(b, uint64(c), 10)
}
