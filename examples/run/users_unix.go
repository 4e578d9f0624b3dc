//go:build unix

package main

import (
	"os"
	"syscall"
)

// users are the signals whose meaning is the program's own.
var users = []os.Signal{syscall.SIGUSR1, syscall.SIGUSR2}
