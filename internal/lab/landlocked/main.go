//go:build linux

// Landlocked starts a program that may not bind any TCP port: a Landlock domain
// refuses it, and shows nowhere in /proc. It adds no no_new_privs, so it has to
// be started by root; the program is named as landlocked COMMAND ARG...
package main

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"unsafe"
)

// From <linux/landlock.h>. The numbers are the same on every architecture.
const (
	sysCreateRuleset = 444
	sysRestrictSelf  = 446
	accessNetBindTCP = 1
)

// rulesetAttr is struct landlock_ruleset_attr of ABI 4, Linux 6.7.
type rulesetAttr struct{ handledFS, handledNet uint64 }

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: landlocked COMMAND [ARG...]")
		os.Exit(64)
	}
	// Landlock restricts a thread; execve keeps the one that calls it.
	runtime.LockOSThread()
	path, err := exec.LookPath(os.Args[1])
	if err == nil {
		err = restrict()
	}
	if err == nil {
		err = syscall.Exec(path, os.Args[1:], os.Environ())
	}
	fmt.Fprintln(os.Stderr, "landlocked:", err)
	os.Exit(1)
}

func restrict() error {
	attr := rulesetAttr{handledNet: accessNetBindTCP}
	fd, _, errno := syscall.Syscall(sysCreateRuleset, uintptr(unsafe.Pointer(&attr)), unsafe.Sizeof(attr), 0)
	if errno != 0 {
		return fmt.Errorf("landlock_create_ruleset: %w", errno)
	}
	if _, _, errno := syscall.Syscall(sysRestrictSelf, fd, 0, 0); errno != 0 {
		return fmt.Errorf("landlock_restrict_self: %w", errno)
	}
	return nil
}
