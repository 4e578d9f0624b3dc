package facts

import "slices"

// Executable reports whether anybody may execute the file: a regular one with an
// execute bit. What is not executable for all is not executed as root either.
func (s Stat) Executable() bool {
	const ifmt, ifreg = 0o170000, 0o100000
	return s.Mode&ifmt == ifreg && s.Mode&0o111 != 0
}

// Passable reports whether a user in these groups has the execute bit of a file or
// folder (generic_permission). ACLs are not looked at.
func (s Stat) Passable(uid uint32, groups []uint32) bool { return s.permits(uid, groups, 0o1) }

// Readable reports the same of reading it.
func (s Stat) Readable(uid uint32, groups []uint32) bool { return s.permits(uid, groups, 0o4) }

func (s Stat) permits(uid uint32, groups []uint32, bit uint32) bool {
	switch {
	case uid == 0:
		return true
	case s.UID == uid:
		return s.Mode&(bit<<6) != 0
	case slices.Contains(groups, s.GID):
		return s.Mode&(bit<<3) != 0
	default:
		return s.Mode&bit != 0
	}
}
