// Package errnos names the errors of system calls, and knows them by name.
package errnos

import (
	"strconv"
	"syscall"
)

// errnos are those that a bind commonly ends with, by name: they are numbers of
// their own on each system.
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
	"ENOSYS":          syscall.ENOSYS,
	"EPERM":           syscall.EPERM,
	"EPROTONOSUPPORT": syscall.EPROTONOSUPPORT,
}

// Name returns the name of an errno, or what the system calls it. One that
// has no name is its number: a seccomp filter or a BPF program answers with any.
func Name(e syscall.Errno) string {
	for name, errno := range errnos {
		if errno == e {
			return name
		}
	}
	if name := systemName(e); name != "" {
		return name
	}
	return strconv.Itoa(int(e))
}

// Of returns the errno of a name of [Name]'s.
func Of(name string) (syscall.Errno, bool) {
	if e, ok := errnos[name]; ok {
		return e, true
	}
	const last = 4095 // MAX_ERRNO of the kernel
	for e := syscall.Errno(1); e <= last; e++ {
		if Name(e) == name {
			return e, true
		}
	}
	return 0, false
}

// Known reports whether a name is that of an errno, or "" for success.
func Known(name string) bool {
	if name == "" {
		return true
	}
	_, ok := Of(name)
	return ok
}
