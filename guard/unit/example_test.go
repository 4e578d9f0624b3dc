package unit_test

import (
	"fmt"
	"log"
	"strings"

	"github.com/lowport/lowport/guard/unit"
)

// Without a capability: systemd holds the port, and the server takes it over.
func ExampleService_Files() {
	files, err := unit.Service{
		Exec:   []string{"/opt/myserver/myserver", "--addr", ":443"},
		Socket: true,
		Listen: []string{":443"},
	}.Files()
	if err != nil {
		log.Fatal(err)
	}
	for _, f := range files {
		fmt.Println(f.Name)
	}
	fmt.Print(files[1].Content)
	// Output:
	// myserver.service
	// myserver.socket
	// # Written by lowport guard/unit.
	//
	// [Unit]
	// Description=myserver server socket
	//
	// [Socket]
	// ListenStream=443
	// # A bare port is for IPv6 and IPv4, whatever the machine's default.
	// BindIPv6Only=both
	// # An address need not be up when the socket is made.
	// FreeBind=yes
	// Backlog=4096
	//
	// [Install]
	// WantedBy=sockets.target
}

// A unit that exists gets a drop-in.
func ExampleService_DropIn() {
	files, err := unit.Service{Name: "nginx.service", User: "www-data", Write: []string{"/var/log/nginx"}}.DropIn()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(files[0].Name)
	for line := range strings.Lines(files[0].Content) {
		if strings.Contains(line, "Capabilit") {
			fmt.Print(line)
		}
	}
	// Output:
	// nginx.service.d/50-lowport-unit.conf
	// AmbientCapabilities=
	// AmbientCapabilities=CAP_NET_BIND_SERVICE
	// CapabilityBoundingSet=
	// CapabilityBoundingSet=CAP_NET_BIND_SERVICE
}
