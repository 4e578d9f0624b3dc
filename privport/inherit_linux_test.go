package privport

import (
	"io"
	"net"
	"os"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"
)

// The lists of the kernel tell the network namespace of a socket as its cookie does.
func TestListedHere(t *testing.T) {
	tcp4, err := net.Listen("tcp4", "127.0.0.1:0")
	sockets := map[string]io.Closer{"tcp4": tcp4}
	if err != nil {
		t.Fatal(err)
	}
	for _, network := range []string{"udp4", "unixgram"} {
		address := "127.0.0.1:0"
		if network == "unixgram" {
			address = t.TempDir() + "/socket"
		}
		if sockets[network], err = net.ListenPacket(network, address); err != nil {
			t.Fatal(err)
		}
	}
	for network, s := range sockets {
		f, err := s.(interface{ File() (*os.File, error) }).File()
		if err != nil {
			t.Fatal(err)
		}
		o := look(int(f.Fd()))
		if o.Network != network {
			t.Errorf("%s is called %v", network, o)
		}
		if !listedHere(int(f.Fd()), o) || !inOwnNetwork(int(f.Fd()), o) {
			t.Errorf("%s: a socket of this network namespace is not found", network)
		}
		if !everyInterface(int(f.Fd()), o) {
			t.Errorf("%s: a socket of every interface is of one", network)
		}
		if !o.isUnix() {
			if err := unix.SetsockoptString(int(f.Fd()), unix.SOL_SOCKET, unix.SO_BINDTODEVICE, "lo"); err != nil {
				t.Error(err)
			}
			if everyInterface(int(f.Fd()), o) {
				t.Errorf("%s: a socket of lo is of every interface", network)
			}
		}
		if os.Getuid() == 0 {
			elsewhere := make(chan [2]bool)
			go func() {
				runtime.LockOSThread() // the thread ends with the goroutine
				if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
					t.Error(err)
				}
				elsewhere <- [2]bool{listedHere(int(f.Fd()), o), inOwnNetwork(int(f.Fd()), o)}
			}()
			if got := <-elsewhere; got != [2]bool{} {
				t.Errorf("%s: found in another network namespace: %v", network, got)
			}
		}
		f.Close()
		s.Close()
	}
}
