package main

import (
	"errors"
	"net"
	"os"
	"syscall"
)

// store gives systemd the listener to keep, if the unit has FileDescriptorStoreMax=. Whoever
// the service starts next, also after a crash, is passed it like a socket of a .socket unit:
// clients wait meanwhile and are not refused, and nobody binds again
// (sd_pid_notify_with_fds(3)).
func store(ln net.Listener) error {
	address := os.Getenv("NOTIFY_SOCKET")
	listener, ok := ln.(syscall.Conn)
	if address == "" || !ok {
		return nil
	}
	raw, err := listener.SyscallConn()
	if err != nil {
		return err
	}
	// A *net.UnixConn that is connected sends no descriptors.
	s, err := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_DGRAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return os.NewSyscallError("socket", err)
	}
	defer syscall.Close(s)
	var errSent error
	err = raw.Control(func(fd uintptr) {
		text, rights := []byte("FDSTORE=1\nFDNAME=listener"), syscall.UnixRights(int(fd))
		errSent = syscall.Sendmsg(s, text, rights, &syscall.SockaddrUnix{Name: address}, 0)
	})
	return errors.Join(err, os.NewSyscallError("sendmsg", errSent))
}
