package main

import (
	"fmt"
	"os"
	"slices"
	"unsafe"

	"golang.org/x/sys/unix"
	"kernel.org/pub/linux/libs/security/libcap/psx"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/caps/drop"
)

// needed are the capabilities that reading other processes takes: their links and memory, their
// files, and their network namespaces.
const needed = 1<<caps.SYS_PTRACE | 1<<caps.DAC_READ_SEARCH | 1<<caps.SYS_ADMIN

// keepNeeded drops all capabilities but those of needed that the watch has, and makes these
// effective on every thread: any may read.
func keepNeeded() error {
	have, err := caps.Self()
	if err != nil {
		return err
	}
	keep := have.Permitted & needed
	if err := drop.Except(slices.Collect(keep.All())...); err != nil {
		return err
	}
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	low := unix.CapUserData{Effective: uint32(keep), Permitted: uint32(keep)} // all of needed are below 32
	sets := [2]unix.CapUserData{low}
	if _, _, errno := psx.Syscall3(unix.SYS_CAPSET, uintptr(unsafe.Pointer(&header)), uintptr(unsafe.Pointer(&sets[0])), 0); errno != 0 {
		return os.NewSyscallError("capset", errno)
	}
	threads, err := caps.Threads(os.Getpid())
	if err != nil {
		return err
	}
	for id, s := range threads {
		if s.Permitted != keep || s.Effective != keep || s.Inheritable|s.Ambient != 0 {
			return fmt.Errorf("thread %d holds %s, not %s", id, s.Permitted, keep)
		}
	}
	return nil
}
