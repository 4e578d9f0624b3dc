//go:build !unix

package kernel

import "syscall"

func systemName(e syscall.Errno) string { return e.Error() }
