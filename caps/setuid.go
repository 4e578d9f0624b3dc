package caps

// fsSet are the capabilities that go with the filesystem uid: CAP_FS_SET in
// the kernel's <linux/capability.h>.
const fsSet Set = 1<<CHOWN | 1<<DAC_OVERRIDE | 1<<DAC_READ_SEARCH | 1<<FOWNER | 1<<FSETID | 1<<LINUX_IMMUTABLE | 1<<MKNOD | 1<<MAC_OVERRIDE

// UIDs are the real, effective and saved user ids of a thread, as seen in its
// user namespace.
type UIDs struct{ Real, Effective, Saved uint32 }

// root reports whether any of u is root.
func (u UIDs) root() bool { return u.Real == 0 || u.Effective == 0 || u.Saved == 0 }

// SetUIDs returns what the thread holds after setuid(2), setreuid(2) or
// setresuid(2) took its ids from old to new: the rule of capabilities(7),
// "Effect of user ID changes on capabilities", as the kernel's
// cap_emulate_setxuid() computes it. Whether the call is permitted is another
// matter.
func (s State) SetUIDs(old, new UIDs) State {
	if s.Securebits&NoSetuidFixup != 0 {
		return s
	}
	if old.root() && !new.root() {
		if s.Securebits&KeepCaps == 0 {
			s.Permitted, s.Effective = 0, 0
		}
		s.Ambient = 0
	}
	if old.Effective == 0 && new.Effective != 0 {
		s.Effective = 0
	}
	if old.Effective != 0 && new.Effective == 0 {
		s.Effective = s.Permitted
	}
	return s
}

// SetFSUID returns what the thread holds after setfsuid(2) took its
// filesystem uid from old to new: cap_task_fix_setuid().
func (s State) SetFSUID(old, new uint32) State {
	switch {
	case s.Securebits&NoSetuidFixup != 0:
	case old == 0 && new != 0:
		s.Effective &^= fsSet
	case old != 0 && new == 0:
		s.Effective |= s.Permitted & fsSet
	}
	return s
}
