package main

import (
	"slices"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/guard"
	"github.com/lowport/lowport/guard/preflight"
)

// planned asks about a program that does not run yet. Nothing is bound.
func (c *command) planned() int {
	return c.ask(asked{
		bind: func(addresses []string, into *guard.Report) (err error) {
			*into, err = preflight.Bind(c.launch, addresses...)
			return err
		},
		require: func(into *guard.Report, need caps.Set) (err error) {
			*into, err = preflight.Require(c.launch, slices.Collect(need.All())...)
			return err
		},
	})
}
