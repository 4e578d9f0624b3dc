package launch

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/internal/facts"
)

// capSet reads CapabilityBoundingSet= or AmbientCapabilities=, and merges the values as systemd
// does ([caps.Set.ParseSystemd]). It returns initial if there is none. It passes over names
// that systemd does not know.
func (u *Unit) capSet(key string, initial caps.Set) caps.Set {
	var values []string
	for _, e := range u.set {
		if e.section != "Service" || e.key != key {
			continue
		}
		rest, invert := strings.CutPrefix(e.value, "~")
		var known []string
		for _, word := range split(rest) {
			if isCap(word) {
				known = append(known, word)
			} else {
				u.note(fmt.Sprintf("systemd ignores %q in %s=", word, key))
			}
		}
		value := strings.Join(known, " ")
		if invert {
			value = "~" + value
		}
		values = append(values, value)
	}
	is, _ := initial.ParseSystemd(values...) // isCap has checked each word
	return is
}

// isCap reports whether systemd knows a word as a capability.
func isCap(word string) bool {
	s, err := caps.Set(0).ParseSystemd(word)
	return err == nil && s.Len() == 1 && !strings.ContainsFunc(word, unicode.IsSpace)
}

var full = caps.UpTo(caps.Last)

// bounding returns CapabilityBoundingSet=, without what other directives take away from it
// (unit_patch_contexts).
func (u *Unit) bounding() caps.Set {
	b := u.capSet("CapabilityBoundingSet", full)
	if all := u.set.all("Service", "CapabilityBoundingSet"); u.Build.Version > 257 && len(all) > 1 && all[0] == "~" { // 252 and 257 begin anew, 262 does not
		u.doubt("what a list behind CapabilityBoundingSet=~ leaves differs between versions of systemd")
	}
	for _, t := range facts.BoundingTakers {
		if u.set.is(t.Directive) {
			b &^= t.Set
		}
	}
	return b
}

// securebits reads SecureBits=.
func (u *Unit) securebits() caps.Securebits {
	names := map[string]caps.Securebits{
		"keep-caps": caps.KeepCaps, "keep-caps-locked": caps.KeepCapsLocked,
		"no-setuid-fixup": caps.NoSetuidFixup, "no-setuid-fixup-locked": caps.NoSetuidFixupLocked,
		"noroot": caps.NoRoot, "noroot-locked": caps.NoRootLocked,
	}
	var bits caps.Securebits
	e, _ := u.set.lastEntry("SecureBits") // the last line counts, whatever systemd.exec(5) says
	for _, word := range split(e.value) {
		bit, ok := names[word]
		if !ok {
			u.note(fmt.Sprintf("systemd ignores %q in SecureBits=", word))
		}
		bits |= bit
	}
	return bits
}

// maxNotes bounds the notes about a unit.
const maxNotes = 100

// note adds notes about the unit, each once.
func (u *Unit) note(notes ...string) {
	for _, n := range notes {
		switch {
		case slices.Contains(u.Notes, n), len(u.Notes) > maxNotes:
		case len(u.Notes) == maxNotes:
			u.Notes = append(u.Notes, "there is more of this kind")
		default:
			u.Notes = append(u.Notes, n)
		}
	}
}
