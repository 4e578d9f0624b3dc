package drop

import (
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"syscall"

	"github.com/lowport/lowport/caps"
	"golang.org/x/sys/unix"
)

func start(cmd *exec.Cmd, c Child) error {
	mu.Lock()
	defer mu.Unlock()
	err := disposable(func() error {
		if err := c.possible(cmd); err != nil {
			return err
		}
		if err := c.prepare(); err != nil {
			return err
		}
		return c.start(cmd)
	})
	if err != nil {
		return fmt.Errorf("drop.Start: %w", err)
	}
	return nil
}

// possible finds what would not come out as c says.
func (c Child) possible(cmd *exec.Cmd) error {
	self, err := caps.Self()
	if err != nil {
		return err
	}
	last, err := caps.LastCap()
	if err != nil {
		return err
	}
	if extra := c.Inheritable &^ caps.UpTo(last); extra != 0 {
		return fmt.Errorf("inheritable has %s, which this kernel does not know", extra) // and leaves out: mk_kernel_cap
	}
	if extra := c.Ambient &^ c.Inheritable; extra != 0 {
		return fmt.Errorf("ambient has %s, which is not inheritable", extra)
	}
	if extra := c.Ambient &^ self.Permitted; extra != 0 {
		return fmt.Errorf("ambient has %s, which is not permitted here: %w", extra, syscall.EPERM)
	}
	if extra := c.Bounding &^ self.Bounding; extra != 0 {
		return fmt.Errorf("bounding has %s, which is not in the bounding set here: %w", extra, syscall.EPERM)
	}
	if c.Securebits&caps.KeepCaps != 0 {
		return errors.New("securebits: execve clears SECBIT_KEEP_CAPS")
	}
	if c.User != nil && c.Ambient != 0 && c.Securebits&(caps.NoAmbientRaise|caps.KeepCapsLocked) != 0 {
		return errors.New("securebits: with NoAmbientRaise or KeepCapsLocked nothing can be made ambient for a new user")
	}
	a := cmd.SysProcAttr
	if a == nil {
		return nil
	}
	if a.Credential != nil || a.AmbientCaps != nil || a.Ptrace || a.Pdeathsig != 0 {
		return errors.New("cmd.SysProcAttr has a Credential, AmbientCaps, Ptrace or Pdeathsig")
	}
	if (a.Cloneflags|a.Unshareflags)&syscall.CLONE_NEWUSER != 0 {
		return errors.New("cmd.SysProcAttr makes a user namespace, in which every set begins anew") // set_cred_user_ns
	}
	return nil
}

// prepare gives this thread all that a child takes over from it. It raises what
// the rest needs; that changes nothing for the child, whose permitted and
// effective sets come from execve.
func (c Child) prepare() error {
	self, err := caps.Self()
	if err != nil {
		return err
	}
	needs := caps.SetOf(caps.SETPCAP, caps.SETUID, caps.SETGID)
	if err := setOwnCaps(c.Inheritable, self.Permitted, self.Effective|self.Permitted&needs); err != nil {
		return err
	}
	for b := range (self.Bounding &^ c.Bounding).All() {
		if err := unix.Prctl(unix.PR_CAPBSET_DROP, uintptr(b), 0, 0, 0); err != nil {
			return fmt.Errorf("bounding: prctl PR_CAPBSET_DROP %s: %w", b, err)
		}
	}
	// An ambient set of the caller is kept, cleared or added to. It has
	// lost already what is no longer inheritable.
	for a := range self.Ambient.All() {
		if c.Ambient.Has(a) {
			continue
		}
		if err := unix.Prctl(unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_LOWER, uintptr(a), 0, 0); err != nil {
			return fmt.Errorf("ambient: prctl PR_CAP_AMBIENT_LOWER %s: %w", a, err)
		}
	}
	if c.User == nil {
		for a := range (c.Ambient &^ self.Ambient).All() {
			if err := unix.Prctl(unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_RAISE, uintptr(a), 0, 0); err != nil {
				return fmt.Errorf("ambient: prctl PR_CAP_AMBIENT_RAISE %s: %w", a, err)
			}
		}
	}
	if self.Securebits != c.Securebits {
		if err := unix.Prctl(unix.PR_SET_SECUREBITS, uintptr(c.Securebits), 0, 0, 0); err != nil {
			return fmt.Errorf("securebits: prctl PR_SET_SECUREBITS %#x: %w", uint32(c.Securebits), err)
		}
	}
	if c.NoNewPrivs {
		if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
			return fmt.Errorf("prctl PR_SET_NO_NEW_PRIVS: %w", err)
		}
	}
	return nil
}

// start leaves to package syscall what must not be done before the fork: a
// thread with the uid of another user could be killed by that user, and the
// process with it.
func (c Child) start(cmd *exec.Cmd) error {
	own := cmd.SysProcAttr
	defer func() { cmd.SysProcAttr = own }()
	var attr syscall.SysProcAttr
	if own != nil {
		attr = *own
	}
	var err error
	if c.User != nil {
		attr.Credential = &syscall.Credential{Uid: c.User.UID, Gid: c.User.GID, Groups: c.User.Groups}
		for a := range c.Ambient.All() {
			attr.AmbientCaps = append(attr.AmbientCaps, uintptr(a))
		}
		if attr.Credential.NoSetGroups, err = sameGroups(c.User.Groups); err != nil {
			return err
		}
	}
	cmd.SysProcAttr = &attr

	// The child changes its uid while it still shares this process's memory,
	// which makes both undumpable: commit_creds(), fs/exec.c.
	dumpable, err := unix.PrctlRetInt(unix.PR_GET_DUMPABLE, 0, 0, 0, 0)
	if err != nil {
		return fmt.Errorf("prctl PR_GET_DUMPABLE: %w", err)
	}
	err = cmd.Start()
	if dumpable == 1 {
		err = errors.Join(err, unix.Prctl(unix.PR_SET_DUMPABLE, 1, 0, 0, 0))
	}
	return err
}

// setOwnCaps is capset(2) for the calling thread alone.
func setOwnCaps(inheritable, permitted, effective caps.Set) error {
	hdr := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	for i := range data {
		data[i] = unix.CapUserData{
			Inheritable: uint32(inheritable >> (32 * i)),
			Permitted:   uint32(permitted >> (32 * i)),
			Effective:   uint32(effective >> (32 * i)),
		}
	}
	if err := unix.Capset(&hdr, &data[0]); err != nil {
		return fmt.Errorf("inheritable %s: capset: %w", inheritable, err)
	}
	return nil
}

// sameGroups reports whether the caller has these supplementary groups already,
// which then need no CAP_SETGID.
func sameGroups(groups []uint32) (bool, error) {
	own, err := unix.Getgroups()
	if err != nil {
		return false, fmt.Errorf("getgroups: %w", err)
	}
	slices.Sort(own)
	var want []int
	for _, g := range groups {
		want = append(want, int(g))
	}
	slices.Sort(want)
	return slices.Equal(own, want), nil
}
