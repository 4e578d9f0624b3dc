// Plain binds what it is told to by package net, and says the cause where it may not.
package main

import (
	"errors"
	"fmt"
	"net"
	"os"

	"github.com/lowport/lowport/guard"
)

func main() {
	network, address := os.Args[1], os.Args[2]
	var err error
	if network == "udp" {
		_, err = net.ListenPacket(network, address)
	} else {
		_, err = net.Listen(network, address)
	}
	said := "bound"
	if refused := (*guard.Error)(nil); errors.As(guard.Explain(err), &refused) {
		said = refused.Causes[0].ID
	} else if err != nil {
		said = err.Error()
	}
	fmt.Println("said:", said)
}
