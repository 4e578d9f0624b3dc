package guard_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/guard"
)

// What `doctor -record` writes: to attach to a bug report.
func ExampleRecord() {
	recording, err := guard.Record(freeAddress())
	if err != nil {
		fmt.Println(err)
		return
	}
	first, _, _ := bytes.Cut(recording, []byte("\n"))
	fmt.Printf("%s\n", first)
	// Output: # recorded by lowport; names, paths and addresses are replaced
}

// A program that changes routes requires caps.NET_ADMIN, and ends with a report
// where it does not have it. This one requires what it has.
func ExampleMustRequire() {
	var need []caps.Cap
	if held, err := caps.Effective(); err == nil && held.Has(caps.KILL) {
		need = append(need, caps.KILL)
	}
	guard.MustRequire(need...)
	fmt.Println("and goes on")
	// Output: and goes on
}

// A pipeline that asks, before it deploys, whether the program will be able to
// bind: here this very program, started once more as it is, on a port that is free.
func ExamplePreflight() {
	program, err := os.Executable()
	if err != nil {
		fmt.Println(err)
		return
	}
	report, err := guard.Preflight(guard.Launch{Binary: program}, freeAddress())
	var refused *guard.Error
	if errors.As(err, &refused) {
		fmt.Println(report) // and os.Exit(refused.ExitCode())
		return
	}
	fmt.Println(report.OK, report.Via, err)
	// Output: true plain <nil>
}

// A program that is to have a capability as another user, and was given none.
func ExamplePreflightRequire() {
	report, err := guard.PreflightRequire(guard.Launch{Binary: "/bin/sh", User: "4242424"}, caps.NET_ADMIN)
	var refused *guard.Error
	if errors.As(err, &refused) {
		fmt.Println(report.Subject, refused.ExitCode())
	}
	// Output: preflight require cap_net_admin 77
}
