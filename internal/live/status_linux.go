package live

import (
	"bytes"
	"fmt"
	"os"

	"github.com/lowport/lowport/caps"
	"golang.org/x/sys/unix"
)

// statusByCalls writes those lines of proc_pid_status(5) that system calls tell the calling
// thread, for when /proc is hidden or not mounted.
func statusByCalls() ([]byte, error) {
	s, err := caps.Self()
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	uid, euid, suid := unix.Getresuid()
	gid, egid, sgid := unix.Getresgid()
	fmt.Fprintf(&b, "Tgid:\t%d\nPPid:\t%d\n", os.Getpid(), os.Getppid())
	fmt.Fprintf(&b, "Uid:\t%d\t%d\t%d\t%d\nGid:\t%d\t%d\t%d\t%d\n", uid, euid, suid, euid, gid, egid, sgid, egid)
	for _, set := range []struct {
		name string
		s    caps.Set
	}{{"Inh", s.Inheritable}, {"Prm", s.Permitted}, {"Eff", s.Effective}, {"Bnd", s.Bounding}, {"Amb", s.Ambient}} {
		fmt.Fprintf(&b, "Cap%s:\t%s\n", set.name, set.s.Hex())
	}
	fmt.Fprintf(&b, "NoNewPrivs:\t%d\n", map[bool]int{true: 1}[s.NoNewPrivs])
	if mode, err := unix.PrctlRetInt(unix.PR_GET_SECCOMP, 0, 0, 0, 0); err == nil {
		fmt.Fprintf(&b, "Seccomp:\t%d\n", mode)
	}
	return b.Bytes(), nil
}
