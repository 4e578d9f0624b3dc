//go:build !unix

package errnos

import (
	"syscall"
)

func systemName(e syscall.Errno) string { return e.Error() }
