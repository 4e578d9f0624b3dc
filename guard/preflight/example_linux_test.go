package preflight_test

import (
	"errors"
	"fmt"
	"os"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/guard/preflight"
	"github.com/lowport/lowport/guard/report"
)

// A pipeline that asks, before it deploys, whether the program will be able to
// bind: here this very program, started once more as it is, on any free port.
func ExampleBind() {
	program, err := os.Executable()
	if err != nil {
		fmt.Println(err)
		return
	}
	r, err := preflight.Bind(preflight.Launch{Binary: program}, ":0")
	var refused *report.Error
	if errors.As(err, &refused) {
		fmt.Println(r) // and os.Exit(refused.ExitCode())
		return
	}
	fmt.Println(r.OK, r.Via, err)
	// Output: true plain <nil>
}

// Any process, in whatever language, and here this one: would it get the port?
func ExampleRunning() {
	r, err := preflight.Running(os.Getpid(), preflight.AsBuilt, ":0")
	fmt.Println(r.OK, r.Via, err)
	_, err = preflight.Running(0, preflight.AsBuilt, ":443")
	fmt.Println(err)
	// Output:
	// true plain <nil>
	// no process has the id 0
}

// A program that is to have a capability as another user, and was given none.
func ExampleRequire() {
	r, err := preflight.Require(preflight.Launch{Binary: "/bin/sh", User: "4242424"}, caps.NET_ADMIN)
	var refused *report.Error
	if errors.As(err, &refused) {
		fmt.Println(r.Subject, refused.ExitCode())
	}
	// Output: preflight require cap_net_admin 77
}
