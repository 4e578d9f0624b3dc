//go:build linux

package main

import (
	"slices"

	"github.com/lowport/lowport/guard"
)

// foretell predicts what a program would be told that is started from here.
func foretell(path, user string) (guard.Report, error) {
	how := guard.Launch{Binary: path, User: user}
	if need != 0 {
		return guard.PreflightRequire(how, slices.Collect(need.All())...)
	}
	return guard.Preflight(how, address())
}
