// Hold listens on an address until it is ended: the owner of a port in the
// lab's scenarios. It makes a file once it listens.
package main

import (
	"fmt"
	"net"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: hold ADDRESS FILE")
		os.Exit(64)
	}
	ended := make(chan os.Signal, 1)
	signal.Notify(ended, syscall.SIGTERM)
	ln, err := net.Listen("tcp", os.Args[1])
	if err == nil {
		err = os.WriteFile(os.Args[2], nil, 0o644)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "hold:", err)
		os.Exit(1)
	}
	<-ended // connections stay in its backlog, open and unanswered
	ln.Close()
}
