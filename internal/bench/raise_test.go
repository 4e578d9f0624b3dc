//go:build linux

package bench

import (
	"context"
	"net"
	"os"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/guard"
	"github.com/lowport/lowport/privport"
)

// inOwnNetwork makes the goroutine's thread one that has cap_net_bind_service
// permitted and not effective, in a network namespace of its own, for good.
func inOwnNetwork(b *testing.B) {
	if os.Getuid() != 0 {
		b.Skip("a network namespace takes root")
	}
	runtime.LockOSThread()
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		b.Fatal(err)
	}
	setRaised(b, false)
}

const privileged = "127.0.0.1:443" // no IPv4 bind needs an interface that is up

// setRaised makes cap_net_bind_service effective on this thread, or not, by the least
// system calls: one capset(2), of sets that are known.
func setRaised(b *testing.B, up bool) {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	const bind = 1 << caps.NET_BIND_SERVICE
	sets := [2]unix.CapUserData{{Permitted: bind}}
	if up {
		sets[0].Effective = bind
	}
	if err := unix.Capset(&header, &sets[0]); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkRaise is a bind with a raised capability, by the bare system calls and by
// package net.
func BenchmarkRaise(b *testing.B) {
	bind := func() error {
		fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			return err
		}
		defer unix.Close(fd)
		return unix.Bind(fd, &unix.SockaddrInet4{Port: 443, Addr: [4]byte{127, 0, 0, 1}})
	}
	listen := func() error {
		ln, err := net.Listen("tcp4", privileged)
		if err == nil {
			err = ln.Close()
		}
		return err
	}
	for name, f := range map[string]func() error{"bind": bind, "net.Listen": listen} {
		lowport := func(b *testing.B) {
			if err := privport.Raise(caps.SetOf(caps.NET_BIND_SERVICE), f); err != nil {
				b.Fatal(err)
			}
		}
		bare := func(b *testing.B) {
			setRaised(b, true)
			err := f()
			setRaised(b, false)
			if err != nil {
				b.Fatal(err)
			}
		}
		b.Run(name, func(b *testing.B) { inOwnNetwork(b); inTurn(lowport, bare)(b) })
		b.Run(name+"/lowport", func(b *testing.B) { inOwnNetwork(b); each(lowport)(b) })
		b.Run(name+"/bare", func(b *testing.B) { inOwnNetwork(b); each(bare)(b) })
	}
	b.Run("guard.Bind", func(b *testing.B) {
		inOwnNetwork(b)
		inTurn(func(b *testing.B) {
			ln, err := guard.Bind(privileged, guard.Network("tcp4"))
			must(b, ln, err).Close()
		}, func(b *testing.B) { // as it is done by hand: refused, raised, bound, lowered
			if ln, err := net.Listen("tcp4", privileged); err == nil {
				ln.Close()
				b.Fatal("bound without the capability")
			}
			setRaised(b, true)
			err := listen()
			setRaised(b, false)
			must(b, 0, err)
		})(b)
	})
	b.Run("Listen", func(b *testing.B) {
		inOwnNetwork(b)
		each(func(b *testing.B) {
			ln, via, err := privport.Listen(context.Background(), "tcp4", privileged)
			if must(b, ln, err).Close(); via != privport.Raised {
				b.Fatal(via)
			}
		})(b)
	})
}

// BenchmarkStart is the sysctl, beside its bare system calls.
func BenchmarkStart(b *testing.B) {
	lowport := func(b *testing.B) {
		start, err := privport.Start()
		must(b, start, err)
	}
	bare := func(b *testing.B) {
		fd := must2(unix.Open("/proc/sys/net/ipv4/ip_unprivileged_port_start", unix.O_RDONLY|unix.O_CLOEXEC, 0))(b)
		var line [32]byte
		must2(unix.Read(fd, line[:]))(b)
		unix.Close(fd)
	}
	b.Run("lowport/bare", inTurn(lowport, bare))
	b.Run("lowport", each(lowport))
	own := func(b *testing.B) {
		own, err := privport.OwnNetwork()
		must(b, own, err)
	}
	bareOwn := func(b *testing.B) {
		fd := must2(unix.Open("/proc/thread-self/ns/net", unix.O_RDONLY|unix.O_CLOEXEC, 0))(b)
		unix.Close(must2(unix.IoctlRetInt(fd, unix.NS_GET_USERNS))(b))
		unix.Close(fd)
	}
	b.Run("OwnNetwork/bare", inTurn(own, bareOwn))
	b.Run("OwnNetwork", each(own))
}

func must2[T any](v T, err error) func(*testing.B) T {
	return func(b *testing.B) T { return must(b, v, err) }
}
