package kernel

import (
	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/internal/facts"
)

// A World is one complete story of a process: it assumes something for everything that could
// not be read. Each world of a process predicts all that was read.
//
//	starter ─execve→ program ─what it gave up since→ thread ─gates→ outcome
type World struct {
	Facts *facts.Facts // what was read; shared, so never written to

	// The last execve: who called it, and the file as the kernel saw it then. An earlier
	// execve, as of a wrapper, shows in the starter's sets.
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
	seen    bool       // what the thread holds is now, and the story does not say how it got that
	raised  bool       // the program made all that is permitted effective
	realIDs bool       // the kernel has the execve rule of before Linux 6.16
	cost    int        // one for each unusual assumption
}

// Values of Holder that are no index.
const (
	Nobody       = -1 // no socket holds the port
	unseenHolder = -2 // a socket that was not seen does
)

// An Image is a file as execve sees it.
type Image struct {
	Stamped bool // it has the attribute security.capability
	Caps    caps.File
	Stat    facts.Stat
	Nosuid  bool // its mount is nosuid
	Foreign bool // its mount belongs to another mount namespace (mnt_may_suid)
	Ignored bool // the system was booted with no_file_caps
	Shifted bool // its mount is idmapped, and makes root's capabilities those of another root
	Unread  bool // what execve would make of it could not be read
}

// Since is what a program did to its own capabilities after its start.
type Since uint8

const (
	Kept     Since = iota
	LetGo          // it gave up what it had, on every thread
	OnThread       // it gave that up on this thread alone
	Lowered        // it keeps what it had permitted, but not effective
)

// counts reports whether execve looks at the file's capabilities at all.
func (i Image) counts() bool { return i.Stamped && !i.Ignored && i.ours() }

// ours reports whether the file's capabilities are for this user namespace. Version 3 names
// a uid, as seen from here, that must be root of this user namespace or of an ancestor
// (rootid_owns_currentns). If it is, getxattr(2) shows version 2 instead.
func (i Image) ours() bool { return !i.Shifted && (i.Caps.Version != 3 || i.Caps.RootID == 0) }

// grants reports whether the file has the set permitted, whether or not execve grants that.
func (i Image) grants(set caps.Set) bool { return i.Stamped && i.Caps.Permitted.Contains(set) }

// exec describes the last execve. It leaves out the supplementary groups, so a setgid file of
// one of them counts as one that changes ids: that grants less.
func (w World) exec() caps.Exec {
	last, _ := w.Facts.Kernel.LastCap.Is() // 0 if unknown: caps.Exec then takes caps.Last
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
		stamp := w.Image.Caps // and not the whole world, on the heap
		e.File = &stamp
	}
	return e
}

// Executed returns what the thread held right after the execve. It reports false if the kernel
// refuses the execve, or if what it makes of the file is not known.
func (w World) Executed() (caps.State, bool) {
	s, err := w.Starter.Exec(w.exec())
	if w.Image.Unread {
		return caps.State{}, false
	}
	return s, err == nil
}

// thread returns what the thread holds now. What it did since the execve concerns set alone.
func (w World) thread(set caps.Set) caps.State {
	if w.seen {
		return w.now
	}
	s, _ := w.Executed()
	switch w.Since {
	case OnThread:
		if w.now.Permitted&set != 0 { // it lowered it on this thread
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

// Missing returns the capabilities that keep the kernel from executing the program: the file
// asks for them by its effective bit, and the bounding set lacks them. It is empty if the
// program is executed.
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

// counted returns the world in which nothing makes execve ignore the file's capabilities.
func (w World) counted() World {
	w.Image.Nosuid, w.Image.Foreign, w.Image.Ignored, w.Image.Shifted, w.Image.Caps.RootID = false, false, false, false, 0
	return w
}

// Holds reports whether the thread has what the goal needs: permitted if the program raises
// it for the bind, else effective.
func (w World) Holds(g Goal) bool { return has(w.thread(g.Need()), g).Contains(g.Need()) }

// Privileged reports whether the bind needs a capability. Port 0, any free port, needs none
// (__inet_bind).
func (w World) Privileged(g Goal) bool { return g.Network != "" && g.Port != 0 && g.Port < w.PortStart }

// With returns the world with a changed copy of its facts.
func (w World) With(change func(f *facts.Facts)) World {
	f := *w.Facts
	change(&f)
	w.Facts = &f
	return w
}

// Start returns the world in which its starter starts the program again: execve then sees the
// file that is at its path now.
func (w World) Start() World {
	i, shifted := w.Facts.File.Installed, w.Image.Shifted
	w.Image = imageOf(w.Facts, i)
	w.Image.Shifted = shifted && (w.Facts.File.IdmappedThere.Value || w.Facts.File.IdmappedThere.State != facts.Known)
	w.Image.Unread = i.Stat.State != facts.Known || i.Nosuid.State != facts.Known || i.Caps.State == facts.Unreadable
	w.Image.Foreign = w.Facts.Launch.Foreign
	w.seen = false
	return w
}

// executedFile returns the file that execve sees: the one at the path for a program that does
// not run yet, else the running one.
func executedFile(f *facts.Facts) facts.Image {
	if f.Launch.Planned {
		return f.File.Installed
	}
	return running(f)
}

// running returns the running file. If that cannot be read, it returns the one at the
// program's path, which is probably the same.
func running(f *facts.Facts) facts.Image {
	if f.File.Exe.Stat.State == facts.Unreadable && f.File.Installed.Stat.State == facts.Known {
		return f.File.Installed
	}
	return f.File.Exe
}

// imageOf returns a file as it was read; what could not be read is zero.
func imageOf(f *facts.Facts, i facts.Image) Image {
	file, stamped := i.Caps.Is()
	return Image{
		Stamped: stamped, Caps: file, Stat: i.Stat.Value, Nosuid: i.Nosuid.Value,
		Foreign: f.File.MountPoint.State == facts.Absent, Ignored: f.Kernel.NoFile.Value,
	}
}
