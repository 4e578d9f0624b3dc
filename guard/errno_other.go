//go:build !unix

package guard

import "syscall"

func errnoName(e syscall.Errno) string { return e.Error() }
