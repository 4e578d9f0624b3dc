package caps

import (
	"errors"
	"slices"
	"syscall"
)

// An Exec is one execve(2): who calls it and what is executed. The caller's
// sets are in the [State] it is applied to.
type Exec struct {
	UID, EUID uint32 // the caller's real and effective uid, as seen in its user namespace
	GID, EGID uint32
	Groups    []uint32 // the caller's supplementary groups

	File    *File // the file's capabilities that count in this user namespace; nil without any
	Nosuid  bool  // the file's mount is nosuid or of another mount or user namespace: mnt_may_suid()
	Setuid  bool  // the file's set-user-ID bit, with its owner
	FileUID uint32
	Setgid  bool // the file's set-group-ID bit (with group execute), with its group
	FileGID uint32

	// Traced says that a tracer without CAP_SYS_PTRACE in this user
	// namespace watches the caller: ptracer_capable().
	Traced bool

	// SharedFS says that another process shares the caller's root and working
	// directory (clone(2) CLONE_FS): check_unsafe_exec().
	SharedFS bool

	// LastCap is the kernel's cap_last_cap, above which a file's bits do not
	// count; 0 stands for Last.
	LastCap Cap

	// RealIDs chooses the rule of Linux before 6.16. There an execve changes
	// ids, and so clears the ambient set, if the new effective ids differ from
	// the real ones. Since then they must differ from the effective ones, and
	// the new group must be none of the caller's.
	RealIDs bool
}

// ErrExecRefused is what [State.Exec] returns where the kernel refuses the
// execve with EPERM: the file asks to have all of its permitted set effective
// and the bounding set lacks some of it. errors.Is(err, syscall.EPERM) holds.
var ErrExecRefused error = execRefused{errors.New("execve: the file's effective bit is set and the bounding set lacks some of its permitted set")}

type execRefused struct{ error }

func (execRefused) Is(target error) bool { return errors.Is(syscall.EPERM, target) }

// Exec returns what the thread holds after the execve: the rule of
// capabilities(7), "Transformation of capabilities during execve()", as the
// kernel's cap_bprm_creds_from_file() computes it. It was compared with Linux
// 6.18 over its inputs, and with [Exec.RealIDs] with Linux 6.1 and 6.12. It does
// not say which ids the new program gets: where the kernel denies new privilege
// it can ignore the set-user-ID bit too.
func (s State) Exec(e Exec) (State, error) {
	next := s
	euid, egid := e.EUID, e.EGID
	if !e.Nosuid && !s.NoNewPrivs { // bprm_fill_uid
		if e.Setuid {
			euid = e.FileUID
		}
		if e.Setgid {
			egid = e.FileGID
		}
	}

	// get_file_caps
	next.Permitted = 0
	effective, hasFile := false, e.File != nil && !e.Nosuid
	if hasFile {
		valid := UpTo(Last)
		if e.LastCap != 0 {
			valid = UpTo(e.LastCap)
		}
		permitted, inheritable := e.File.Permitted&valid, e.File.Inheritable&valid
		effective = e.File.Effective
		next.Permitted = s.Bounding&permitted | s.Inheritable&inheritable
		if effective && !next.Permitted.Contains(permitted) {
			return State{}, ErrExecRefused
		}
	}

	// handle_privileged_root: for a setuid root file with capabilities the
	// capabilities win, unless root itself runs it.
	if s.Securebits&NoRoot == 0 && !(hasFile && euid == 0 && e.UID != 0) {
		if euid == 0 || e.UID == 0 {
			next.Permitted = s.Bounding | s.Inheritable
		}
		effective = effective || euid == 0
	}

	// No new privileges, and none under the eyes of an unprivileged tracer or
	// for who shares a working directory.
	changed := euid != e.EUID || egid != e.EGID && !slices.Contains(e.Groups, egid)
	if e.RealIDs {
		changed = euid != e.UID || egid != e.GID
	}
	gained := !s.Permitted.Contains(next.Permitted)
	if (changed || gained) && (s.NoNewPrivs || e.Traced || e.SharedFS) {
		next.Permitted &= s.Permitted
	}
	if hasFile || changed {
		next.Ambient = 0
	}
	next.Permitted |= next.Ambient
	next.Effective = next.Ambient
	if effective {
		next.Effective = next.Permitted
	}
	next.Securebits &^= KeepCaps
	return next, nil
}
