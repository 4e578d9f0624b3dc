package launch

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/lowport/lowport/caps"
)

// set64 reads CapabilityBoundingSet= or AmbientCapabilities=, which is initial
// where nothing is said, as systemd merges their values ([caps.Set.ParseSystemd]).
// A name that systemd does not know it passes over.
func (u *Unit) set64(key string, initial caps.Set) caps.Set {
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
	is, _ := initial.ParseSystemd(values...) // of words that it reads one by one
	return is
}

// isCap says whether systemd knows a word as a capability.
func isCap(word string) bool {
	s, err := caps.Set(0).ParseSystemd(word)
	return err == nil && s.Len() == 1 && !strings.ContainsFunc(word, unicode.IsSpace)
}

var full = caps.UpTo(caps.Last)

// bounding is CapabilityBoundingSet=, and what other directives take away from
// it (unit_patch_contexts).
func (u *Unit) bounding() caps.Set {
	b := u.set64("CapabilityBoundingSet", full)
	if all := u.set.all("Service", "CapabilityBoundingSet"); u.Build.Version > 257 && len(all) > 1 && all[0] == "~" { // 252 and 257 begin anew, 262 does not
		u.doubt("what a list behind CapabilityBoundingSet=~ leaves differs between versions of systemd")
	}
	for _, less := range []struct {
		key string
		set caps.Set
	}{
		{"PrivateDevices", caps.SetOf(caps.MKNOD, caps.SYS_RAWIO)},
		{"ProtectKernelModules", caps.SetOf(caps.SYS_MODULE)},
		{"ProtectKernelLogs", caps.SetOf(caps.SYSLOG)},
		{"ProtectClock", caps.SetOf(caps.SYS_TIME, caps.WAKE_ALARM)},
	} {
		if u.set.is(less.key) {
			b &^= less.set
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

// maxNotes bounds what is said of a unit that is odd all over.
const maxNotes = 100

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
