//go:build unix

package errnos

import (
	"syscall"

	"golang.org/x/sys/unix"
)

func systemName(e syscall.Errno) string { return unix.ErrnoName(e) }
