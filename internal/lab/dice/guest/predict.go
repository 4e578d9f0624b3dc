//go:build linux

package main

import (
	"slices"

	"github.com/lowport/lowport/guard"
	"github.com/lowport/lowport/guard/preflight"
)

// foretell predicts what a program would be told.
func foretell(how preflight.Launch) (guard.Report, error) {
	if need != 0 {
		return preflight.Require(how, slices.Collect(need.All())...)
	}
	return preflight.Bind(how, addresses()...)
}
