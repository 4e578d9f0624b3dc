package kernel

import (
	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/internal/facts"
)

// A World is one complete story of a process: it fills in what cannot be read. All
// worlds of a process agree in what was read, and each predicts it.
//
//	starter ─execve→ program ─what it gave up since→ thread ─gates→ outcome
type World struct {
	Facts *facts.Facts // what was read; shared, so never written to

	// The last execve: who called it, and the file as the kernel saw it then. An execve
	// before it, of a wrapper, left its trace in the starter's sets.
	Starter  caps.State
	Caller   facts.IDs
	Traced   bool // by a tracer without CAP_SYS_PTRACE (ptracer_capable)
	SharedFS bool // its folders are another process's too (check_unsafe_exec)
	Image    Image

	Since Since // what the program did to itself afterwards

	PortStart int    // ports below it are privileged
	Counts    bool   // capabilities are asked for in a user namespace where they count
	Granted   bool   // no security module withholds them
	Local     bool   // the address is one of this machine's
	Holder    int    // the index in Facts.Net.Sockets of the socket that holds the port, or one of the following
	Late      bool   // a policy refuses only once the socket is bound (BPF_CGROUP_INET4_POST_BIND)
	Unseen    string // the gate at which something that leaves no trace refuses, "" for none

	now     caps.State // what was read of the thread that the story is about
	seen    bool       // the thread has what the goal needs, however it came to that
	raised  bool       // the program made all that is permitted effective
	realIDs bool       // the kernel has the execve rule of before Linux 6.16
	cost    int        // one for each unusual assumption
}

// No socket holds the port, or one that was not seen does.
const (
	Nobody       = -1
	unseenHolder = -2
)

// An Image is a file as execve takes it.
type Image struct {
	Stamped bool // it has the attribute security.capability
	Caps    caps.File
	Stat    facts.Stat
	Nosuid  bool // its mount is nosuid
	Foreign bool // its mount belongs to another mount namespace (mnt_may_suid)
	Ignored bool // the system was booted with no_file_caps
	Shifted bool // its mount is idmapped, and root's attributes are not root's there
	Unread  bool // what execve would make of it could not be read
}

// Since is what a program did to its own capabilities after its start.
type Since uint8

const (
	Kept     Since = iota
	LetGo          // it gave up what it had, on every thread
	OnThread       // on this thread alone
	Lowered        // it made what it has not effective
)

// counts reports whether execve looks at the file's capabilities at all. Version 3 names
// the uid, as seen from here, that must be root of this user namespace or of an ancestor
// (rootid_owns_currentns); getxattr(2) gives version 2 where it is.
func (i Image) counts() bool { return i.Stamped && !i.Ignored && i.ours() }

func (i Image) ours() bool { return !i.Shifted && (i.Caps.Version != 3 || i.Caps.RootID == 0) }

// grants reports whether the file says that who executes it is to have the set.
func (i Image) grants(set caps.Set) bool { return i.Stamped && i.Caps.Permitted.Contains(set) }

// exec describes the last execve. It leaves the supplementary groups out: a setgid file
// of one of them then counts as one that changes ids, which grants less.
func (w World) exec() caps.Exec {
	last, _ := w.Facts.Kernel.LastCap.Is() // where it is hidden, that of today's kernels
	e := caps.Exec{
		UID: w.Caller.UID, EUID: w.Caller.EUID, GID: w.Caller.GID, EGID: w.Caller.EGID,
		Nosuid: w.Image.Nosuid || w.Image.Foreign,
		Traced: w.Traced, SharedFS: w.SharedFS,
		Setuid: w.Image.Stat.Setuid(), FileUID: w.Image.Stat.UID,
		Setgid: w.Image.Stat.Setgid(), FileGID: w.Image.Stat.GID,
		LastCap: last,
		RealIDs: w.realIDs,
	}
	if w.Image.counts() {
		e.File = &w.Image.Caps
	}
	return e
}

// Executed reports what the thread held right after the execve, and whether there was one.
func (w World) Executed() (caps.State, bool) {
	s, err := w.Starter.Exec(w.exec())
	if w.Image.Unread {
		return caps.State{}, false
	}
	return s, err == nil
}

// thread is what the thread holds of the set now.
func (w World) thread(set caps.Set) caps.State {
	if w.seen {
		return w.now
	}
	s, _ := w.Executed()
	switch w.Since {
	case OnThread:
		if w.now.Permitted&set != 0 { // it is only not effective here
			s.Effective &^= set
			return s
		}
		fallthrough
	case LetGo:
		s.Permitted &^= set
		s.Effective &^= set
		s.Ambient &^= set
	case Lowered:
		s.Effective &^= set
	}
	if w.raised {
		s.Effective |= s.Permitted & set
	}
	return s
}

// Missing is what the file asks to have at once, by its effective bit, and does not get:
// where it is not empty, the program is not executed.
func (w World) Missing() caps.Set {
	if _, ok := w.Executed(); ok || w.Image.Unread {
		return 0
	}
	last := w.exec().LastCap
	if last == 0 {
		last = caps.Last
	}
	file := w.Image.Caps
	return file.Permitted & caps.UpTo(last) &^ (w.Starter.Bounding | w.Starter.Inheritable&file.Inheritable)
}

// Holds reports whether the thread has what the goal needs: permitted for a bind whose
// program raises it, else effective.
func (w World) Holds(g Goal) bool { return has(w.thread(g.Need()), g).Contains(g.Need()) }

// Privileged reports whether the bind takes a capability. Port 0 asks for any free port,
// which takes none (__inet_bind).
func (w World) Privileged(g Goal) bool { return g.Network != "" && g.Port != 0 && g.Port < w.PortStart }

// With returns the world with other facts.
func (w World) With(change func(f *facts.Facts)) World {
	f := *w.Facts
	change(&f)
	w.Facts = &f
	return w
}

// Start returns the world in which the program is started again by its starter: what
// execve sees is the file at its path.
func (w World) Start() World {
	i, shifted := w.Facts.File.Installed, w.Image.Shifted
	w.Image = imageOf(w.Facts, i)
	w.Image.Shifted = shifted && (w.Facts.File.IdmappedThere.Value || w.Facts.File.IdmappedThere.State != facts.Known)
	w.Image.Unread = i.Stat.State != facts.Known || i.Nosuid.State != facts.Known || i.Caps.State == facts.Unreadable
	w.Image.Foreign = w.Facts.Launch.Foreign
	w.seen = false
	return w
}

// running is the file that runs. Where that cannot be read, the one at its path is probably
// it.
func running(f *facts.Facts) facts.Image {
	if f.File.Exe.Stat.State == facts.Unreadable && f.File.Installed.Stat.State == facts.Known {
		return f.File.Installed
	}
	return f.File.Exe
}

// imageOf is a file as it was read; what was not read of it is zero.
func imageOf(f *facts.Facts, i facts.Image) Image {
	file, stamped := i.Caps.Is()
	return Image{
		Stamped: stamped, Caps: file, Stat: i.Stat.Value, Nosuid: i.Nosuid.Value,
		Foreign: f.File.MountPoint.State == facts.Absent, Ignored: f.Kernel.NoFile.Value,
	}
}
