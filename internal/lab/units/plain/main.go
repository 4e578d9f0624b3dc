// Plain binds its address as a program without the guard does, and exits with the status
// of package status.
package main

import (
	"net"
	"os"

	"github.com/lowport/lowport/internal/lab/units/status"
)

func main() {
	ln, err := net.Listen("tcp", os.Args[len(os.Args)-1])
	if err != nil {
		os.Exit(status.Of(err))
	}
	ln.Close()
	os.Exit(status.Bound)
}
