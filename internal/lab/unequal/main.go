//go:build linux

// Unequal is a program one of whose threads has lowered its effective set, and
// that requires capabilities: unequal [-json] -require CAP,CAP... Or it makes a file
// and waits: unequal -wait FILE
package main

import (
	"os"
	"os/signal"
	"runtime"
	"slices"
	"syscall"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/guard"
	"github.com/lowport/lowport/internal/lab/standin"
	"golang.org/x/sys/unix"
)

func main() {
	var need caps.Set
	asJSON, args := standin.Args("unequal {[-json] -require CAP,CAP... | -wait FILE}", func(args []string) bool {
		return len(args) == 2 && (args[0] == "-wait" || args[0] == "-require" && need.Set(args[1]) == nil)
	})
	lowered := make(chan error)
	go func() {
		runtime.LockOSThread()
		lowered <- lower()
		select {}
	}()
	if err := <-lowered; err != nil {
		standin.Fail(err)
	}
	if args[0] == "-wait" {
		if err := os.WriteFile(args[1], nil, 0o644); err != nil {
			standin.Fail(err)
		}
		ended := make(chan os.Signal, 1)
		signal.Notify(ended, syscall.SIGTERM)
		<-ended
		return
	}
	err := guard.Require(slices.Collect(need.All())...)
	standin.End(asJSON, guard.Report{}, err)
}

// lower empties the effective set of the calling thread.
func lower() error {
	hdr := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	if err := unix.Capget(&hdr, &data[0]); err != nil {
		return err
	}
	data[0].Effective, data[1].Effective = 0, 0
	return unix.Capset(&hdr, &data[0])
}
