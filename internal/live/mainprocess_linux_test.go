package live

import (
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"testing"

	"github.com/lowport/lowport/internal/facts"
	"github.com/lowport/lowport/internal/program"
)

// A process is the main one of a service if its environment says so, and another one only if the
// process that its environment names is seen in the service.
func TestMainAlone(t *testing.T) {
	start := func(env string) int {
		c := exec.Command("sh", "-c", `[ -z "$A" ] || export SYSTEMD_EXEC_PID=$(($$ + A)); exec sleep 1000`)
		c.Env = []string{"PATH=" + os.Getenv("PATH"), env}
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Process.Kill(); c.Wait() })
		for { // until it executes sleep, with the environment that it made
			if comm, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", c.Process.Pid)); err != nil {
				t.Fatal(err)
			} else if string(comm) == "sleep\n" {
				break
			}
		}
		return c.Process.Pid
	}
	main, other, silent := start("A=0"), start("A=1000000000"), start("A=")
	at := netip.MustParseAddrPort("[::]:443")
	for _, tt := range []struct {
		name  string
		pid   int
		also  []int
		known bool
	}{
		{"the main process", main, nil, true},
		{"the main process and an unknown one", main, []int{silent}, false},
		{"no process seen", 0, nil, false},
		{"one whose main process is gone", other, nil, false},
		{"one that says nothing", silent, nil, false},
	} {
		got := MainAlone("app.service", facts.Socket{Addr: at, PID: tt.pid, Also: tt.also})
		if program.Is(got, true) != tt.known || got.Known() != tt.known {
			t.Errorf("%s: %+v", tt.name, got)
		}
	}
}
