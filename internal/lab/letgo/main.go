//go:build linux

// Letgo is a program that binds after it has let go of what it was started with:
// letgo [-json] KIND ADDRESS.
//
//	drop  drops all capabilities, as package caps/drop does
//	root  empties the capability sets and stays root
//	user  becomes the user of uid 1000, as any program may
//	thread  empties the capability sets of the thread that binds, and of no other
//	none  makes itself undumpable and lets go of nothing, so that the bind may succeed
package main

import (
	"errors"
	"fmt"
	"runtime"
	"syscall"
	"unsafe"

	"github.com/lowport/lowport/caps/drop"
	"github.com/lowport/lowport/guard"
	"github.com/lowport/lowport/internal/lab/standin"
	"golang.org/x/sys/unix"
)

func main() {
	asJSON, args := standin.Args("letgo [-json] KIND ADDRESS", func(args []string) bool { return len(args) == 2 })
	if err := letGo(args[0]); err != nil {
		standin.Fail(err)
	}
	var r guard.Report
	_, err := guard.Bind(args[1], guard.ReportTo(&r))
	standin.End(asJSON, r, err)
}

func letGo(kind string) error {
	switch kind {
	case "none":
		return unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0)
	case "drop":
		return drop.All()
	case "root":
		hdr := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
		var none [2]unix.CapUserData
		_, _, errno := syscall.AllThreadsSyscall(unix.SYS_CAPSET, uintptr(unsafe.Pointer(&hdr)), uintptr(unsafe.Pointer(&none[0])), 0)
		if errno != 0 {
			return errno
		}
		return nil
	case "thread":
		runtime.LockOSThread()
		hdr := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
		var none [2]unix.CapUserData
		return unix.Capset(&hdr, &none[0])
	case "user":
		return errors.Join(syscall.Setgroups(nil), syscall.Setgid(1000), syscall.Setuid(1000))
	}
	return fmt.Errorf("%q is no kind", kind)
}
