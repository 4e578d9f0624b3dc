//go:build linux

// Filter starts a program of which one system call is refused by a seccomp filter:
//
//	filter [-as UID] CALL ERRNO COMMAND ARG...
//
// With -as it becomes the user behind the filter, without capset(2). CALL is bind, listen, socket, inet-socket (a socket of an Internet
// family), setsockopt, capset or capget; ERRNO is as EPERM, or "kill". It sets no no_new_privs,
// so it has to be started by root.
package main

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

var calls = map[string]uint32{
	"bind": unix.SYS_BIND, "listen": unix.SYS_LISTEN, "socket": unix.SYS_SOCKET, "inet-socket": unix.SYS_SOCKET,
	"setsockopt": unix.SYS_SETSOCKOPT, "capset": unix.SYS_CAPSET, "capget": unix.SYS_CAPGET,
}

var errnos = map[string]syscall.Errno{
	"EPERM": unix.EPERM, "EACCES": unix.EACCES, "ENOSYS": unix.ENOSYS, "EADDRNOTAVAIL": unix.EADDRNOTAVAIL,
	"EADDRINUSE": unix.EADDRINUSE, "EAFNOSUPPORT": unix.EAFNOSUPPORT, "EPROTONOSUPPORT": unix.EPROTONOSUPPORT,
	"EINVAL": unix.EINVAL,
}

func main() {
	args, user := os.Args[1:], ""
	if len(args) > 2 && args[0] == "-as" {
		user, args = args[1], args[2:]
	}
	if len(args) < 3 {
		usage()
	}
	call, isCall := calls[args[0]]
	errno, isErrno := errnos[args[1]]
	answer := unix.SECCOMP_RET_ERRNO | uint32(errno)
	if args[1] == "kill" {
		answer, isErrno = unix.SECCOMP_RET_KILL_PROCESS, true
	}
	if !isCall || !isErrno {
		usage()
	}
	runtime.LockOSThread() // the filter is of the thread that calls execve
	path, err := exec.LookPath(args[2])
	if err == nil {
		err = filter(call, args[0] == "inet-socket", answer)
	}
	if err == nil && user != "" {
		err = become(user)
	}
	if err == nil {
		err = syscall.Exec(path, args[2:], os.Environ())
	}
	fmt.Fprintln(os.Stderr, "filter:", err)
	os.Exit(1)
}

func usage() {
	fmt.Fprintln(os.Stderr, "usage: filter [-as UID] CALL ERRNO COMMAND [ARG...]")
	os.Exit(64)
}

// become changes the user and group of this thread to those of a number.
func become(user string) error {
	id, err := strconv.Atoi(user)
	if err != nil {
		return err
	}
	for _, call := range [][4]uintptr{
		{unix.SYS_SETGROUPS},
		{unix.SYS_SETRESGID, uintptr(id), uintptr(id), uintptr(id)},
		{unix.SYS_SETRESUID, uintptr(id), uintptr(id), uintptr(id)},
	} {
		if _, _, errno := syscall.RawSyscall(call[0], call[1], call[2], call[3]); errno != 0 {
			return errno
		}
	}
	return nil
}

// filter gives a system call the answer; a socket only if it is of an Internet family, where
// inet is set. It looks at the lower half of the first argument, which comes first on the
// machines that are little-endian.
func filter(call uint32, inet bool, answer uint32) error {
	const number, family = 0, 16 // in struct seccomp_data
	refuse := unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: answer}
	allow := unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW}
	code := []unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: number},
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: call, Jf: 1},
		refuse, allow,
	}
	if inet {
		code = []unix.SockFilter{
			{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: number},
			{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: call, Jf: 4},
			{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: family},
			{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: unix.AF_INET, Jt: 1},
			{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: unix.AF_INET6, Jf: 1},
			refuse, allow,
		}
	}
	program := unix.SockFprog{Len: uint16(len(code)), Filter: &code[0]}
	return unix.Prctl(unix.PR_SET_SECCOMP, unix.SECCOMP_MODE_FILTER, uintptr(unsafe.Pointer(&program)), 0, 0)
}
