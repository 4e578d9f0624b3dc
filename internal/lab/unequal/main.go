//go:build linux

// Unequal is a program one of whose threads has lowered its effective set, and
// that requires capabilities: unequal [-json] -require CAP,CAP... Or it makes a file
// and waits: unequal -wait FILE
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"slices"
	"syscall"

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
	waits := len(args) == 2 && args[0] == "-wait"
	if len(args) != 2 || !waits && (args[0] != "-require" || need.Set(args[1]) != nil) {
		fmt.Fprintln(os.Stderr, "usage: unequal [-json] -require CAP,CAP...\n       unequal -wait FILE")
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
	if waits {
		if err := os.WriteFile(args[1], nil, 0o644); err != nil {
			fmt.Fprintln(os.Stderr, "unequal:", err)
			os.Exit(1)
		}
		ended := make(chan os.Signal, 1)
		signal.Notify(ended, syscall.SIGTERM)
		<-ended
		os.Exit(0)
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
