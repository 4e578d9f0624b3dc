package audit

import (
	"slices"

	"github.com/lowport/lowport/caps"
)

const (
	typeBits = 0o170000
	folder   = 0o040000
	sticky   = 0o1000
	setID    = 0o6000
)

// others is the permission to write of those who are not the owner. The group
// root is root's own, but with an access control list its bits are those of others.
func (p Place) others() uint32 {
	if p.GID == 0 && !p.ACL {
		return p.Mode & 0o002
	}
	return p.Mode & 0o022
}

// A writer is a place that lets somebody change what the program is.
type writer struct {
	Place
	who    reach
	danger caps.Danger // in the words of package caps: the file, or a folder above
}

// A reach says who may write a place, the widest of them.
type reach uint8

const (
	byGroup reach = iota + 1
	bySelf        // the process itself, whether or not a group may as well
	byAll
)

// writers finds where on its way a program can be changed by others than root
// and the owner, and by the process itself, which an attacker would be. What is
// on a read-only mount is out of the process's reach, yet not of those for whom
// it is mounted otherwise. Owners count: they may change the mode.
func writers(way []Place, t Thread) []writer {
	var all []writer
	for i, p := range way {
		w := writer{Place: p, danger: caps.WritableFolder}
		stuck := false // only the owner of an entry may replace it
		if p.Mode&typeBits != folder {
			w.danger = caps.WritableFile
		} else if p.Mode&sticky != 0 && i+1 < len(way) {
			stuck = true
		}
		switch {
		case p.others()&0o002 != 0 && !stuck:
			w.who = byAll
		case !p.ReadOnly && t.UIDs.FS != 0 && (t.UIDs.FS == p.UID || !stuck && t.mayWrite(p)):
			w.who = bySelf
		case p.others() != 0 && !stuck:
			w.who = byGroup
		default:
			continue
		}
		all = append(all, w)
	}
	return all
}

// mayWrite asks the mode alone.
func (t Thread) mayWrite(p Place) bool {
	switch {
	case t.UIDs.FS == p.UID:
		return p.Mode&0o200 != 0
	case t.GIDs.FS == p.GID || slices.Contains(t.groups(), p.GID):
		return p.Mode&0o020 != 0
	default:
		return p.Mode&0o002 != 0
	}
}
