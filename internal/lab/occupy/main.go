//go:build linux

// Occupy has a port in a way that net.Listen cannot: occupy KIND PORT FILE. It
// makes the file once it has it, and keeps it until it is ended.
//
//	wildcard6     listens on [::], IPv6 alone
//	dual          listens on [::], for both families
//	mptcp         listens on 0.0.0.0, as Multipath TCP
//	reuseport     listens on 0.0.0.0 with SO_REUSEPORT, without SO_REUSEADDR
//	bound         is bound to 0.0.0.0 with SO_REUSEADDR, and does not listen
//	bound-alone   is bound to 0.0.0.0 without SO_REUSEADDR, and does not listen
//	time-wait     is no more: a connection from 127.0.0.1 that it closed waits
//	served        listened on 127.0.0.1 with SO_REUSEADDR, and has a connection still
//	several       listens on 0.0.0.0, and three more processes have the socket
//	served-wait   the same, and the connection that it closed waits
package main

import (
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

func main() {
	if len(os.Args) != 4 {
		fmt.Fprintln(os.Stderr, "usage: occupy KIND PORT FILE")
		os.Exit(64)
	}
	ended := make(chan os.Signal, 1)
	signal.Notify(ended, syscall.SIGTERM)
	port, err := strconv.Atoi(os.Args[2])
	if err == nil {
		err = occupy(os.Args[1], port)
	}
	if err == nil {
		err = os.WriteFile(os.Args[3], nil, 0o644)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "occupy:", err)
		os.Exit(1)
	}
	<-ended
}

func occupy(kind string, port int) error {
	family, protocol := unix.AF_INET, unix.IPPROTO_TCP
	var addr unix.Sockaddr = &unix.SockaddrInet4{Port: port}
	switch kind {
	case "wildcard6", "dual":
		family, addr = unix.AF_INET6, &unix.SockaddrInet6{Port: port}
	case "mptcp":
		protocol = unix.IPPROTO_MPTCP
	case "time-wait", "served", "served-wait":
		addr = &unix.SockaddrInet4{Port: port, Addr: [4]byte{127, 0, 0, 1}}
	}
	fd, err := unix.Socket(family, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, protocol)
	if err != nil {
		return err
	}
	option := func(level, name, value int) {
		if e := unix.SetsockoptInt(fd, level, name, value); e != nil && err == nil {
			err = e
		}
	}
	if family == unix.AF_INET6 {
		only := 0
		if kind == "wildcard6" {
			only = 1
		}
		option(unix.IPPROTO_IPV6, unix.IPV6_V6ONLY, only)
	}
	switch kind {
	case "reuseport":
		option(unix.SOL_SOCKET, unix.SO_REUSEPORT, 1)
	case "bound-alone", "time-wait":
	default:
		option(unix.SOL_SOCKET, unix.SO_REUSEADDR, 1)
	}
	if err == nil {
		err = unix.Bind(fd, addr)
	}
	switch {
	case err != nil:
		return err
	case kind == "bound", kind == "bound-alone":
		return nil
	case kind == "time-wait":
		return connectAndClose(fd)
	case kind == "served", kind == "served-wait":
		return serve(fd, addr, kind == "served-wait")
	case kind == "several":
		return several(fd)
	default:
		return unix.Listen(fd, 8)
	}
}

// several listens, and gives the socket to processes that wait.
func several(fd int) error {
	if err := unix.Listen(fd, 8); err != nil {
		return err
	}
	for range 3 {
		child := exec.Command("sleep", "1000")
		child.ExtraFiles = []*os.File{os.NewFile(uintptr(fd), "listener")}
		if err := child.Start(); err != nil {
			return err
		}
	}
	return nil
}

// connectAndClose connects the socket to a listener of our own and closes it
// first, so that its end of the connection waits (TIME_WAIT).
func connectAndClose(fd int) error {
	ln, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(ln)
	if err := unix.Listen(ln, 8); err != nil { // the kernel picks a port
		return err
	}
	to, err := unix.Getsockname(ln)
	if err != nil {
		return err
	}
	if err := unix.Connect(fd, &unix.SockaddrInet4{Port: to.(*unix.SockaddrInet4).Port, Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		return err
	}
	accepted, _, err := unix.Accept(ln)
	if err != nil {
		return err
	}
	if err := unix.Close(fd); err != nil {
		return err
	}
	return unix.Close(accepted)
}

// serve accepts a connection of our own, and listens no more.
func serve(ln int, at unix.Sockaddr, close bool) error {
	if err := unix.Listen(ln, 8); err != nil {
		return err
	}
	client, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	if err := unix.Connect(client, at); err != nil {
		return err
	}
	accepted, _, err := unix.Accept(ln)
	if err == nil {
		err = unix.Close(ln)
	}
	if err != nil || !close {
		return err
	}
	if err := unix.Close(accepted); err != nil {
		return err
	}
	return unix.Close(client)
}
