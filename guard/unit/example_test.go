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
	files, err := unit.Service{Name: "myserver.service", User: "appuser", Write: []string{"/var/log/myserver"}}.DropIn()
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
	// myserver.service.d/50-lowport-unit.conf
	// AmbientCapabilities=
	// AmbientCapabilities=CAP_NET_BIND_SERVICE
	// CapabilityBoundingSet=
	// CapabilityBoundingSet=CAP_NET_BIND_SERVICE
}

// What the hardening asks of a program that takes its socket from systemd.
func ExampleService_Notes() {
	s := unit.Service{Exec: []string{"/opt/myserver/myserver"}, Listen: []string{":443"}, Socket: true}
	for _, note := range s.Notes() {
		fmt.Println(note)
	}
	// Output:
	// the program has to take the socket over: guard.Bind does, other programs by sd_listen_fds(3)
	// PrivateNetwork= leaves the program no network but the socket's connections; Outbound lifts it
	// ProcSubset=pid hides net.ipv4.ip_unprivileged_port_start, so where a socket is missing the guard's causes are likely at best
	// ProtectProc=invisible hides process 1 and all programs of other users from the guard
	// MemoryDenyWriteExecute= stops programs that write machine code at run time, such as node and java; JIT lifts it
	// ProtectHome= and PrivateTmp= hide /home, /root, /tmp and /var/tmp of the machine: certificates have to lie elsewhere
}
