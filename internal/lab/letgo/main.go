//go:build linux

// Letgo is a program that binds after it has let go of what it was started with:
// letgo [-json] KIND ADDRESS.
//
//	drop  drops all capabilities, as package caps/drop does
//	root  empties the capability sets and stays root
//	user  becomes the user of uid 1000, as any program may
//	none  makes itself undumpable and lets go of nothing, so that the bind may succeed
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"syscall"
	"unsafe"

	"github.com/lowport/lowport/caps/drop"
	"github.com/lowport/lowport/guard"
	"golang.org/x/sys/unix"
)

func main() {
	args := os.Args[1:]
	asJSON := len(args) > 0 && args[0] == "-json"
	if asJSON {
		args = args[1:]
	}
	if len(args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: letgo [-json] KIND ADDRESS")
		os.Exit(64)
	}
	if err := letGo(args[0]); err != nil {
		fmt.Fprintln(os.Stderr, "letgo:", err)
		os.Exit(1)
	}
	var report guard.Report
	_, err := guard.Bind(args[1], guard.ReportTo(&report))
	code := 0
	var refused *guard.Error
	if errors.As(err, &refused) {
		code = refused.ExitCode()
	} else if err != nil || args[0] != "none" {
		fmt.Fprintln(os.Stderr, "letgo: Bind says", err)
		os.Exit(1)
	}
	if asJSON {
		err = json.NewEncoder(os.Stdout).Encode(report)
	} else {
		_, err = fmt.Print(report)
	}
	if err != nil {
		os.Exit(74)
	}
	os.Exit(code)
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
	case "user":
		return errors.Join(syscall.Setgroups(nil), syscall.Setgid(1000), syscall.Setuid(1000))
	}
	return fmt.Errorf("%q is no kind", kind)
}
