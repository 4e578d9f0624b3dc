// Hold listens on an address until it is ended: the owner of a port in the
// lab's scenarios. It makes a file once it listens. The address is of TCP
// unless "udp" stands before it.
package main

import (
	"fmt"
	"net"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	if len(os.Args) == 4 && os.Args[1] == "udp" {
		holdUDP(os.Args[2], os.Args[3])
	}
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: hold [udp] ADDRESS FILE")
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

func holdUDP(address, file string) {
	c, err := net.ListenPacket("udp", address)
	if err == nil {
		err = os.WriteFile(file, nil, 0o644)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "hold:", err)
		os.Exit(1)
	}
	for err == nil {
		_, _, err = c.ReadFrom(nil)
	}
	fmt.Fprintln(os.Stderr, "hold:", err)
	os.Exit(1)
}
