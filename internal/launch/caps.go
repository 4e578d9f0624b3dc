package launch

import (
	"fmt"
	"strings"

	"github.com/lowport/lowport/caps"
)

// set reads CapabilityBoundingSet= or AmbientCapabilities= as systemd merges
// their values (config_parse_capability_set): a list is added, one after "~"
// removed, and one that meets the initial set takes its place. A name that
// systemd does not know it passes over.
func (u *Unit) set64(key string, initial caps.Set) caps.Set {
	is := initial
	for _, e := range u.set {
		if e.section != "Service" || e.key != key {
			continue
		}
		rest, invert := strings.CutPrefix(e.value, "~")
		var list caps.Set
		for _, word := range split(rest) {
			c, ok := named(word)
			if !ok {
				u.note(fmt.Sprintf("systemd passes over %q in %s=", word, key))
				continue
			}
			list |= c
		}
		switch {
		case list == 0 || is == initial:
			if is = list; invert {
				is = full &^ list
			}
		case invert:
			is &^= list
		default:
			is |= list
		}
	}
	return is
}

// named is the capability of a number, or of a name with its prefix: one without
// systemd does not know (capability_from_name).
func named(word string) (caps.Set, bool) {
	c, err := caps.ParseSystemd(word)
	number := strings.Trim(word, "0123456789") == ""
	return c, err == nil && c.Len() == 1 && (number || strings.EqualFold(word, c.String()))
}

var full = caps.UpTo(caps.Last)

// bounding is CapabilityBoundingSet=, and what other directives take away from
// it (unit_patch_contexts).
func (u *Unit) bounding() caps.Set {
	b := u.set64("CapabilityBoundingSet", full)
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
	for _, word := range u.set.words("SecureBits") {
		bit, ok := names[word]
		if !ok {
			u.note(fmt.Sprintf("systemd passes over %q in SecureBits=", word))
		}
		bits |= bit
	}
	return bits
}

func (u *Unit) note(n string) {
	for _, old := range u.Notes {
		if old == n {
			return
		}
	}
	u.Notes = append(u.Notes, n)
}
