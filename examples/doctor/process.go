package main

import (
	"github.com/lowport/lowport/guard"
	"github.com/lowport/lowport/guard/preflight"
)

// ofProcess asks about a process that runs, whatever it is written in. Nothing is bound.
func (c *command) ofProcess() int {
	return c.ask(asked{
		bind: func(addresses []string, into *guard.Report) (err error) {
			*into, err = preflight.Running(c.pid, c.launch.Guard, addresses...)
			return err
		},
	})
}
