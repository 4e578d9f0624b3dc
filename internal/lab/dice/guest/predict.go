//go:build linux

package main

import (
	"slices"

	"github.com/lowport/lowport/guard"
)

// foretell predicts what a program would be told.
func foretell(how guard.Launch) (guard.Report, error) {
	if need != 0 {
		return guard.PreflightRequire(how, slices.Collect(need.All())...)
	}
	return guard.Preflight(how, addresses()...)
}
