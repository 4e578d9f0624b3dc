//go:build linux

package bench

import (
	"fmt"
	"os"
	"os/exec"
	"testing"

	"github.com/lowport/lowport/guard/audit"
	"github.com/lowport/lowport/guard/preflight"
	"github.com/lowport/lowport/guard/recording"
)

// BenchmarkAudit audits every process of this machine, which are so many more than usual.
func BenchmarkAudit(b *testing.B) {
	running := 0
	for _, n := range []int{500, 1000, 2000} {
		for ; running < n; running++ {
			other := exec.Command("sleep", "10000")
			must(b, 0, other.Start())
			b.Cleanup(func() { other.Process.Kill(); other.Wait() })
		}
		b.Run(fmt.Sprintf("processes=%d", n), inCPU(func(b *testing.B) {
			for r, err := range audit.All() {
				must(b, r, err)
			}
		}))
	}
}

// BenchmarkPreflight predicts a bind of this program before it is started.
func BenchmarkPreflight(b *testing.B) {
	program := must2(os.Executable())(b)
	b.Run("Bind", inCPU(func(b *testing.B) {
		if _, err := preflight.Bind(preflight.Launch{Binary: program, User: "nobody"}, ":443"); err == nil {
			b.Fatal("it would be allowed")
		}
	}))
}

// BenchmarkWorlds reports on a machine that was recorded: nothing is read, so that it is what
// the worlds, the causes and the fixes take.
func BenchmarkWorlds(b *testing.B) {
	machine := must2(os.ReadFile("../../guard/guardtest/testdata/ordinary-user.txtar"))(b)
	b.Run("Replay", inCPU(func(b *testing.B) {
		if err := recording.Replay(machine, ":443"); err == nil {
			b.Fatal("no report")
		}
	}))
}
