//go:build linux

// Landlocked starts a program that may bind no TCP port, or the one that -allow names: a Landlock
// domain refuses the others, and shows nowhere in /proc. It adds no no_new_privs, so it has to
// be started by root; the program is named as landlocked [-allow PORT] COMMAND ARG...
package main

import (
	"flag"
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
	sysAddRule       = 445
	sysRestrictSelf  = 446
	accessNetBindTCP = 1
	ruleNetPort      = 2
)

// rulesetAttr is struct landlock_ruleset_attr of ABI 4, Linux 6.7.
type rulesetAttr struct{ handledFS, handledNet uint64 }

// netPortAttr is struct landlock_net_port_attr.
type netPortAttr struct{ access, port uint64 }

func main() {
	allow := flag.Uint64("allow", 0, "the `port` that may be bound")
	flag.Parse()
	if flag.NArg() == 0 {
		fmt.Fprintln(os.Stderr, "usage: landlocked [-allow PORT] COMMAND [ARG...]")
		os.Exit(64)
	}
	// Landlock restricts a thread; execve keeps the one that calls it.
	runtime.LockOSThread()
	path, err := exec.LookPath(flag.Arg(0))
	if err == nil {
		err = restrict(*allow)
	}
	if err == nil {
		err = syscall.Exec(path, flag.Args(), os.Environ())
	}
	fmt.Fprintln(os.Stderr, "landlocked:", err)
	os.Exit(1)
}

// restrict makes the domain. Port 0 stands for none.
func restrict(allow uint64) error {
	attr := rulesetAttr{handledNet: accessNetBindTCP}
	fd, _, errno := syscall.Syscall(sysCreateRuleset, uintptr(unsafe.Pointer(&attr)), unsafe.Sizeof(attr), 0)
	if errno != 0 {
		return fmt.Errorf("landlock_create_ruleset: %w", errno)
	}
	rule := netPortAttr{accessNetBindTCP, allow}
	if allow != 0 {
		if _, _, errno := syscall.Syscall6(sysAddRule, fd, ruleNetPort, uintptr(unsafe.Pointer(&rule)), 0, 0, 0); errno != 0 {
			return fmt.Errorf("landlock_add_rule: %w", errno)
		}
	}
	if _, _, errno := syscall.Syscall(sysRestrictSelf, fd, 0, 0); errno != 0 {
		return fmt.Errorf("landlock_restrict_self: %w", errno)
	}
	return nil
}
