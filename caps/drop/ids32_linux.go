//go:build 386 || arm

package drop

import "golang.org/x/sys/unix"

// Without the 32 these take ids of 16 bits on the oldest architectures.
const (
	sysSetgroups = unix.SYS_SETGROUPS32
	sysSetresgid = unix.SYS_SETRESGID32
	sysSetresuid = unix.SYS_SETRESUID32
)
