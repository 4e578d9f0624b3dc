package main

import "fmt"

func (c *command) ofProcess() int { return failed(unavailable, fmt.Errorf("no process has the id %d", c.pid)) }
