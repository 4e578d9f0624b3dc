//go:build linux

package bench

import (
	"fmt"
	"os"
	"runtime"
	"testing"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/guard"
)

// BenchmarkRequire is the check of a capability that every thread has, beside the reading
// of the threads, which it cannot do without.
func BenchmarkRequire(b *testing.B) {
	held, err := caps.Effective()
	if must(b, held, err); !held.Has(caps.NET_BIND_SERVICE) {
		b.Skip("needs cap_net_bind_service, as root has it")
	}
	require := func(b *testing.B) { must(b, 0, guard.Require(caps.NET_BIND_SERVICE)) }
	threads := func(b *testing.B) {
		all, err := caps.Threads(os.Getpid())
		must(b, all, err)
	}
	for _, n := range []int{10, 100, 1000} {
		end := moreThreads(n)
		b.Run(fmt.Sprintf("Require/Threads/threads=%d", n), inTurn(require, threads))
		close(end)
	}
}

// moreThreads starts n threads that wait until the channel is closed.
func moreThreads(n int) (end chan struct{}) {
	end = make(chan struct{})
	up := make(chan bool)
	for range n {
		go func() {
			runtime.LockOSThread()
			up <- true
			<-end
			// The goroutine ends locked, and its thread with it.
		}()
	}
	for range n {
		<-up
	}
	return end
}
