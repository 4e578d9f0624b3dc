//go:build !unix

package main

import "os"

var users []os.Signal
