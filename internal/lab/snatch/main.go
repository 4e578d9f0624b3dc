//go:build linux

// Snatch starts a program, and when it has bound a socket and is about to
// listen, listens on the same port first: snatch PORT COMMAND ARG... A seccomp
// filter stops the program at listen(2) for as long as that takes. It has to be
// started by root.
package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"sync"
	"unsafe"

	"golang.org/x/sys/unix"
)

// From <linux/seccomp.h>.
type notification struct {
	id         uint64
	pid, flags uint32
	nr         int32
	arch       uint32
	ip         uint64
	args       [6]uint64
}

type response struct {
	id    uint64
	val   int64
	errno int32
	flags uint32
}

const (
	notifyReceive = 0xc0502100 // SECCOMP_IOCTL_NOTIF_RECV
	notifySend    = 0xc0182101 // SECCOMP_IOCTL_NOTIF_SEND
	notifyGoOn    = 1          // SECCOMP_USER_NOTIF_FLAG_CONTINUE
)

func main() {
	if len(os.Args) < 3 {
		fmt.Fprintln(os.Stderr, "usage: snatch PORT COMMAND [ARG...]")
		os.Exit(64)
	}
	err := snatch(os.Args[1], os.Args[2:])
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		os.Exit(exit.ExitCode())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "snatch:", err)
		os.Exit(1)
	}
}

func snatch(port string, argv []string) error {
	n, err := strconv.Atoi(port)
	if err != nil {
		return err
	}
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err == nil {
		err = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1)
	}
	if err == nil {
		err = unix.Bind(fd, &unix.SockaddrInet4{Port: n})
	}
	if err != nil {
		return err
	}
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	started := make(chan error)
	var notify int
	go func() {
		runtime.LockOSThread() // the filter is this thread's and the program's
		var err error
		if notify, err = stopAtListen(); err == nil {
			err = cmd.Start()
		}
		started <- err
		select {} // the thread stays: it ends with this process
	}()
	if err := <-started; err != nil {
		return err
	}
	listen := sync.OnceValue(func() error { return unix.Listen(fd, 8) })
	go func() {
		for {
			var stopped notification
			if _, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(notify), notifyReceive, uintptr(unsafe.Pointer(&stopped))); errno != 0 {
				if errno == unix.EINTR {
					continue
				}
				return // the program has ended
			}
			if err := listen(); err != nil {
				fmt.Fprintln(os.Stderr, "snatch:", err)
			}
			answer := response{id: stopped.id, flags: notifyGoOn}
			_, _, _ = unix.Syscall(unix.SYS_IOCTL, uintptr(notify), notifySend, uintptr(unsafe.Pointer(&answer)))
		}
	}()
	return cmd.Wait()
}

// stopAtListen makes the calling thread, and what it starts, stop at listen
// until the descriptor that it returns has an answer.
func stopAtListen() (int, error) {
	code := []unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS}, // the number of the system call
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: unix.SYS_LISTEN, Jf: 1},
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_USER_NOTIF},
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW},
	}
	program := unix.SockFprog{Len: uint16(len(code)), Filter: &code[0]}
	fd, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_NEW_LISTENER, uintptr(unsafe.Pointer(&program)))
	if errno != 0 {
		return -1, fmt.Errorf("seccomp: %w", errno)
	}
	return int(fd), nil
}
