package guard

import "syscall"

// errnos are those that a bind ends with, by name: they are numbers of their own
// on each system.
var errnos = map[string]syscall.Errno{
	"EACCES":          syscall.EACCES,
	"EADDRINUSE":      syscall.EADDRINUSE,
	"EADDRNOTAVAIL":   syscall.EADDRNOTAVAIL,
	"EAFNOSUPPORT":    syscall.EAFNOSUPPORT,
	"EINVAL":          syscall.EINVAL,
	"EMFILE":          syscall.EMFILE,
	"ENFILE":          syscall.ENFILE,
	"ENOBUFS":         syscall.ENOBUFS,
	"ENOMEM":          syscall.ENOMEM,
	"EPERM":           syscall.EPERM,
	"EPROTONOSUPPORT": syscall.EPROTONOSUPPORT,
}

// errnoName returns the name of an errno, or what the system calls it.
func errnoName(e syscall.Errno) string {
	for name, errno := range errnos {
		if errno == e {
			return name
		}
	}
	return systemName(e)
}
