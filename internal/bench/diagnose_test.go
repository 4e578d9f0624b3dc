//go:build linux

package bench

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/lowport/lowport/guard"
)

// A machine with many sockets is made of processes that each listen on many
// ports of an address of their own: this test binary again, with the address
// and the number of ports in holdEnv.
const holdEnv = "LOWPORT_BENCH_HOLD"

func init() {
	var address string
	var n int
	if _, err := fmt.Sscan(os.Getenv(holdEnv), &address, &n); err != nil {
		return
	}
	var all []net.Listener // not collected, not closed
	for port := 20000; port < 20000+n; port++ {
		ln, err := net.Listen("tcp4", fmt.Sprintf("%s:%d", address, port))
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		all = append(all, ln)
	}
	fmt.Println("held")
	os.Stdin.Read(make([]byte, 1)) // until the parent closes it
	runtime.KeepAlive(all)
	os.Exit(0)
}

// BenchmarkDiagnose times a whole refusal, from the bind to the report, for a
// port that another process holds.
func BenchmarkDiagnose(b *testing.B) {
	const each = 18000 // below the usual limit on open files
	held := 0
	for _, sockets := range []int{0, each, 6 * each} {
		for ; held < sockets; held += each {
			hold(b, fmt.Sprintf("127.0.%d.1", held/each+1), each)
		}
		ln, err := net.Listen("tcp4", "127.0.0.1:0")
		if err != nil {
			b.Fatal(err)
		}
		defer ln.Close()
		address := ln.Addr().String()
		if sockets > 0 {
			address = fmt.Sprintf("127.0.%d.1:20000", sockets/each)
		}
		refused := func(b *testing.B) {
			if _, err := guard.Bind(address, guard.Network("tcp4")); err == nil {
				b.Fatal("the port was free")
			}
		}
		b.Run(fmt.Sprintf("sockets=%d", sockets), inCPU(refused))
		if sockets > each {
			continue // ss takes minutes
		}
		b.Run(fmt.Sprintf("ss/sockets=%d", sockets), inTurn(refused, func(b *testing.B) {
			must(b, 0, exec.Command("ss", "-Hltnp").Run())
		}))
	}
}

// BenchmarkRefusal is a refusal for want of a capability, with nothing on the port, beside the
// one list of TCP's sockets in it, of which the kernel walks through the whole table.
func BenchmarkRefusal(b *testing.B) {
	b.Run("list", func(b *testing.B) {
		inOwnNetwork(b)
		header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
		var none [2]unix.CapUserData
		must(b, 0, unix.Capset(&header, &none[0]))
		inTurn(func(b *testing.B) {
			if _, err := guard.Bind(privileged, guard.Network("tcp4")); err == nil {
				b.Fatal("bound without the capability")
			}
		}, listTCP)(b)
	})
}

// listTCP asks for the sockets of TCP on port 443, of both families (TCPDIAG_GETSOCK), by the
// least system calls.
func listTCP(b *testing.B) {
	fd := must2(unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_SOCK_DIAG))(b)
	defer unix.Close(fd)
	var request [16 + 60 + 20]byte // nlmsghdr, inet_diag_req, a filter of one port
	put := binary.NativeEndian
	put.PutUint32(request[0:], uint32(len(request)))
	put.PutUint16(request[4:], 18)
	put.PutUint16(request[6:], unix.NLM_F_REQUEST|unix.NLM_F_DUMP)
	request[16] = unix.AF_INET
	put.PutUint32(request[68:], ^uint32(0)) // every state
	copy(request[76:], []byte{20, 0, 1, 0, 2, 8, 20, 0, 0, 0, 0xbb, 1, 3, 8, 12, 0, 0, 0, 0xbb, 1})
	must(b, 0, unix.Sendto(fd, request[:], 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}))
	answer := make([]byte, 1<<15)
	n, _, err := unix.Recvfrom(fd, answer, 0)
	if must(b, n, err); put.Uint16(answer[4:]) != unix.NLMSG_DONE {
		b.Fatal("no list of no sockets: ", put.Uint16(answer[4:]))
	}
}

// hold starts a process that listens on n ports of address until b ends.
func hold(b *testing.B, address string, n int) {
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%s %d", holdEnv, address, n))
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	in, err := cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { in.Close(); cmd.Wait() })
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil || line != "held\n" {
		b.Fatalf("%s: %q %v", address, line, err)
	}
}
