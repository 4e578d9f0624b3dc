// Package status has the exit statuses by which the programs of package units say how their bind went.
package status

import (
	"errors"
	"syscall"
)

// Exit statuses of the programs that are started, apart from those that systemd, shells
// and wrappers have.
const (
	Bound     = 150 // it bound the address itself
	Inherited = 151 // it was given the socket
	otherErr  = 169
)

// statuses are those of the errnos of a refused bind.
var statuses = map[syscall.Errno]int{
	syscall.EACCES: 160, syscall.EPERM: 161, syscall.EADDRINUSE: 162, syscall.EADDRNOTAVAIL: 163, syscall.EAFNOSUPPORT: 164,
}

var errnoNames = map[syscall.Errno]string{
	syscall.EACCES: "EACCES", syscall.EPERM: "EPERM", syscall.EADDRINUSE: "EADDRINUSE", syscall.EADDRNOTAVAIL: "EADDRNOTAVAIL", syscall.EAFNOSUPPORT: "EAFNOSUPPORT",
}

// Errno names the errno of an exit status.
func Errno(status int) (name string, ok bool) {
	for errno, is := range statuses {
		if is == status {
			return errnoNames[errno], true
		}
	}
	return "another errno", status == otherErr
}

// Of is the exit status of a program that got this error from its bind.
func Of(err error) int {
	var errno syscall.Errno
	if errors.As(err, &errno) {
		if status, ok := statuses[errno]; ok {
			return status
		}
	}
	return otherErr
}
