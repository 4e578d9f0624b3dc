package caps

import (
	"cmp"
	"slices"
	"strings"
)

// ParseCap returns the capability with the given name: with or without the
// prefix "cap_", in any case, or its number from 0 to 63 in decimal. The error
// is a [*ParseError] that names what may have been meant.
func ParseCap(name string) (Cap, error) {
	if c, ok := lookup(name); ok {
		return c, nil
	}
	return 0, noSuchName("capability", name, 0, name)
}

// ParseSet reads a list of names as [ParseCap] reads one, separated by commas
// or white space; "all" stands for every capability up to [Last]. The empty
// text is the empty set. It reads what [Set.String] and the lists of systemd,
// Docker, Kubernetes and OCI hold; for masks see [ParseMask].
func ParseSet(list string) (Set, error) {
	return parseList("capability list", list, 0, isSeparator, lookupSet)
}

// parseList reads the part of text from offset on.
func parseList(form, text string, offset int, separates func(byte) bool, find func(string) (Set, bool)) (Set, error) {
	var s Set
	for i := offset; i < len(text); {
		end := i
		for end < len(text) && !separates(text[end]) {
			end++
		}
		if end > i {
			t, ok := find(text[i:end])
			if !ok {
				return 0, noSuchName(form, text, i, text[i:end])
			}
			s |= t
		}
		i = end + 1
	}
	return s, nil
}

func isSeparator(c byte) bool { return c == ',' || isSpace(c) }

// isSpace is isspace(3) in the C locale.
func isSpace(c byte) bool { return c == ' ' || '\t' <= c && c <= '\r' }

// lookupSet is lookup for a name that can also be "all".
func lookupSet(name string) (Set, bool) {
	if len(name) == 3 && name[0]|0x20 == 'a' && name[1]|0x20 == 'l' && name[2]|0x20 == 'l' {
		return UpTo(Last), true
	}
	c, ok := lookup(name)
	return Set(1) << c, ok
}

// lookup finds a capability by name, with or without "cap_", in any case, or
// by number. setpriv(1) writes a capability without a name as "cap_41".
func lookup(name string) (Cap, bool) {
	if len(name) > 4 && name[3] == '_' && name[0]|0x20 == 'c' && name[1]|0x20 == 'a' && name[2]|0x20 == 'p' {
		name = name[4:]
	}
	if c, ok := byName(name); ok {
		return c, true
	}
	switch {
	case len(name) == 1 && isDigit(name[0]):
		return Cap(name[0] - '0'), true
	case len(name) == 2 && '1' <= name[0] && name[0] <= '6' && isDigit(name[1]):
		n := (name[0]-'0')*10 + name[1] - '0'
		return Cap(n), n < 64
	}
	return 0, false
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// bare finds a capability by its name in lower case without "cap_".
var bare = func() map[string]Cap {
	m := make(map[string]Cap, len(names))
	for c, n := range names {
		m[n[len("cap_"):]] = Cap(c)
	}
	return m
}()

// byName finds a capability by its name without "cap_", in any case.
func byName(name string) (Cap, bool) {
	var lower [len("checkpoint_restore")]byte // the longest name
	if len(name) > len(lower) {
		return 0, false
	}
	for i := range len(name) {
		c := name[i]
		if 'A' <= c && c <= 'Z' {
			c |= 0x20
		}
		lower[i] = c
	}
	c, ok := bare[string(lower[:len(name)])]
	return c, ok
}

// nearest returns up to three capabilities that a misspelt name may mean.
func nearest(name string) []Cap {
	name = strings.TrimPrefix(strings.ToLower(name), "cap_")
	if len(name) < 2 || len(name) > 40 {
		return nil
	}
	type guess struct {
		c    Cap
		dist int
	}
	var near []guess
	for c, n := range names {
		n = n[len("cap_"):]
		d := distance(name, n)
		if len(name) > 2 && strings.Contains(joined(n), joined(name)) {
			d = 1
		}
		if d <= 1+len(name)/4 {
			near = append(near, guess{Cap(c), d})
		}
	}
	slices.SortStableFunc(near, func(a, b guess) int { return cmp.Compare(a.dist, b.dist) })
	var cs []Cap
	for _, g := range near[:min(len(near), 3)] {
		cs = append(cs, g.c)
	}
	return cs
}

// joined is a name without underscores, which are easily left out.
func joined(name string) string { return strings.ReplaceAll(name, "_", "") }

// distance counts the insertions, deletions, substitutions and swaps of
// neighbours that make b of a.
func distance(a, b string) int {
	var before []int // of the row above it
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		next := make([]int, len(b)+1)
		next[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			next[j+1] = min(row[j+1]+1, next[j]+1, row[j]+cost)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				next[j+1] = min(next[j+1], before[j-1]+1)
			}
		}
		before, row = row, next
	}
	return row[len(b)]
}
