//go:build linux

package bench

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime"
	"testing"

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
		b.Run(fmt.Sprintf("sockets=%d", sockets), func(b *testing.B) {
			for b.Loop() {
				if _, err := guard.Bind(address, guard.Network("tcp4")); err == nil {
					b.Fatal("the port was free")
				}
			}
		})
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
