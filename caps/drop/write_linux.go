package drop

import (
	"fmt"
	"unsafe"

	"github.com/lowport/lowport/caps"
	"golang.org/x/sys/unix"
	"kernel.org/pub/linux/libs/security/libcap/cap"
	"kernel.org/pub/linux/libs/security/libcap/psx"
)

// The calls below run on every thread of the process. libcap carries them
// there: by syscall.AllThreadsSyscall in a pure Go program, by libpsx in one
// with cgo. Both end the process where two threads answer differently, so
// whoever calls one has looked first and knows that none can be refused.

// setCaps makes these the sets of every thread: capset(2). No thread refuses
// as long as it may have the inheritable set and permits the permitted one.
// Capabilities that leave either leave the ambient set with it.
func setCaps(inheritable, permitted, effective caps.Set) error {
	s := cap.NewSet()
	for flag, set := range map[cap.Flag]caps.Set{
		cap.Inheritable: inheritable, cap.Permitted: permitted, cap.Effective: effective,
	} {
		if err := s.SetFlag(flag, true, values(set)...); err != nil {
			return fmt.Errorf("capability set %s: %w", set.Hex(), err)
		}
	}
	if err := s.SetProc(); err != nil {
		return fmt.Errorf("capset: %w", err)
	}
	return nil
}

// setNoNewPrivs cannot be refused: PR_SET_NO_NEW_PRIVS(2const).
func setNoNewPrivs() error {
	if _, err := cap.Prctlw(unix.PR_SET_NO_NEW_PRIVS, 1); err != nil {
		return fmt.Errorf("prctl PR_SET_NO_NEW_PRIVS: %w", err)
	}
	return nil
}

// dropBounding takes s out of the bounding set, one call for each capability.
// A thread without an effective CAP_SETPCAP refuses: PR_CAPBSET_DROP(2const).
func dropBounding(s caps.Set) error {
	if err := cap.DropBound(values(s)...); err != nil {
		return fmt.Errorf("prctl PR_CAPBSET_DROP: %w", err)
	}
	return nil
}

// setGroups sets the supplementary groups. A thread without an effective CAP_SETGID
// refuses: setgroups(2).
func setGroups(groups []uint32) error {
	var first unsafe.Pointer
	if len(groups) > 0 {
		first = unsafe.Pointer(&groups[0])
	}
	if _, _, errno := psx.Syscall3(sysSetgroups, uintptr(len(groups)), uintptr(first), 0); errno != 0 {
		return fmt.Errorf("setgroups %v: %w", groups, errno)
	}
	return nil
}

// setGID sets the gids. A thread without an effective CAP_SETGID refuses: setresgid(2).
func setGID(gid uint32) error {
	if _, _, errno := psx.Syscall3(sysSetresgid, uintptr(gid), uintptr(gid), uintptr(gid)); errno != 0 {
		return fmt.Errorf("setresgid %d: %w", gid, errno)
	}
	return nil
}

// setUser sets the uids, and with keepCaps holds on to the permitted set while
// they leave 0. A thread without an effective CAP_SETUID refuses: setresuid(2);
// one where SECBIT_KEEP_CAPS is locked does too: PR_SET_KEEPCAPS(2const).
func setUser(uid uint32, keepCaps bool) error {
	if keepCaps {
		if _, err := cap.Prctlw(unix.PR_SET_KEEPCAPS, 1); err != nil {
			return fmt.Errorf("prctl PR_SET_KEEPCAPS 1: %w", err)
		}
	}
	if _, _, errno := psx.Syscall3(sysSetresuid, uintptr(uid), uintptr(uid), uintptr(uid)); errno != 0 {
		return fmt.Errorf("setresuid %d: %w", uid, errno)
	}
	if keepCaps {
		if _, err := cap.Prctlw(unix.PR_SET_KEEPCAPS, 0); err != nil {
			return fmt.Errorf("prctl PR_SET_KEEPCAPS 0: %w", err)
		}
	}
	return nil
}

func values(s caps.Set) []cap.Value {
	var vs []cap.Value
	for c := range s.All() {
		vs = append(vs, cap.Value(c))
	}
	return vs
}
