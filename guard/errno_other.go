//go:build !unix

package guard

import "syscall"

func systemName(e syscall.Errno) string { return e.Error() }
