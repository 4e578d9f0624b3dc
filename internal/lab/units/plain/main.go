// Plain binds its address as a program without the guard does, and exits with the status
// of package units.
package main

import (
	"net"
	"os"

	"github.com/lowport/lowport/internal/lab/units"
)

func main() {
	ln, err := net.Listen("tcp", os.Args[len(os.Args)-1])
	if err != nil {
		os.Exit(units.Status(err))
	}
	ln.Close()
	os.Exit(units.Bound)
}
