//go:build linux

// Unequal is a program one of whose threads has lowered its effective set, and
// that requires capabilities: unequal [-json] -require CAP,CAP...
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/guard"
	"golang.org/x/sys/unix"
)

func main() {
	args := os.Args[1:]
	asJSON := len(args) > 0 && args[0] == "-json"
	if asJSON {
		args = args[1:]
	}
	var need caps.Set
	if len(args) != 2 || args[0] != "-require" || need.Set(args[1]) != nil {
		fmt.Fprintln(os.Stderr, "usage: unequal [-json] -require CAP,CAP...")
		os.Exit(64)
	}
	lowered := make(chan error)
	go func() {
		runtime.LockOSThread()
		lowered <- lower()
		select {}
	}()
	if err := <-lowered; err != nil {
		fmt.Fprintln(os.Stderr, "unequal:", err)
		os.Exit(1)
	}
	err := guard.Require(slices.Collect(need.All())...)
	var refused *guard.Error
	if !errors.As(err, &refused) {
		fmt.Fprintln(os.Stderr, "unequal: Require says", err)
		os.Exit(1)
	}
	if asJSON {
		err = json.NewEncoder(os.Stdout).Encode(refused.Report)
	} else {
		_, err = fmt.Print(refused.Report)
	}
	if err != nil {
		os.Exit(74)
	}
	os.Exit(refused.ExitCode())
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
