package guardtest_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/guard"
	"github.com/lowport/lowport/guard/guardtest"
)

// A program that takes the bind as a value is tested on any machine.
func ExampleMachine_Bind() {
	serve := func(bind func(string, ...guard.Option) (net.Listener, error)) error {
		ln, err := bind(":443")
		if err != nil {
			return err
		}
		defer ln.Close()
		fmt.Println("serving")
		return nil
	}
	fmt.Println(serve(guardtest.SystemdAmbient.Bind))
	fmt.Println(errors.Is(serve(guardtest.KubernetesRestricted.Bind), fs.ErrPermission))
	// Output:
	// serving
	// <nil>
	// true
}

func ExampleMachine_Require() {
	err := guardtest.OrdinaryUser.Require(caps.NET_ADMIN)
	var refused *guard.Error
	if errors.As(err, &refused) {
		fmt.Println(refused.Causes[0].ID, refused.ExitCode())
	}
	// Output: no-capability 77
}

// The same user, after sysctl -w net.ipv4.ip_unprivileged_port_start=80.
func ExampleMachine_With() {
	m := guardtest.OrdinaryUser.With("proc/sys/net/ipv4/ip_unprivileged_port_start", "80\n")
	ln, err := m.Bind(":443")
	if err != nil {
		panic(err)
	}
	ln.Close()
	fmt.Println("bound")
	// Output: bound
}

// UDP ports are privileged as TCP ones are.
func ExampleMachine_BindPacket() {
	_, err := guardtest.OrdinaryUser.BindPacket(":53")
	fmt.Println(err)
	// Output: listen udp :53: permission denied: nothing grants cap_net_bind_service: /srv/app/server has no file capabilities, and this process got none [no-capability]; fix: sudo setcap cap_net_bind_service=+p /srv/app/server
}

// A server with a context of its own takes the function that net.ListenConfig has too.
func ExampleMachine_Listen() {
	_, err := guardtest.OrdinaryUser.Listen(context.Background(), "tcp4", ":443")
	fmt.Println(errors.Is(err, fs.ErrPermission))
	// Output: true
}

func ExampleMachine_ListenPacket() {
	_, err := guardtest.OrdinaryUser.ListenPacket(context.Background(), "udp4", ":53")
	fmt.Println(errors.Is(err, fs.ErrPermission))
	// Output: true
}

func ExampleMachine_BindAll() {
	s, err := guardtest.SystemdAmbient.BindAll(context.Background(), []string{":80", ":443"})
	if err != nil {
		panic(err)
	}
	defer s.Close()
	fmt.Println(len(s.Listeners))
	// Output: 2
}
