package lab

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/lowport/lowport/internal/figures"
	"github.com/lowport/lowport/internal/needs"
)

// Random processes are audited and then try what they can. None that could do something
// may have been clean. LOWPORT_SEED draws others.
func TestAttacks(t *testing.T) {
	needRoot(t)
	n := 1000
	if testing.Short() {
		n = 100
	}
	exe := t.TempDir() + "/attack"
	build := exec.Command("go", "build", "-o", exe, "./attack")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	seed := fmt.Sprint(needs.Seed(t))
	// A shell that stays is the first process of the PID namespace.
	cmd := exec.CommandContext(t.Context(), "sh", "-c", `"$@"; exit $?`, "sh", exe, fmt.Sprint(n), seed)
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNS | unix.CLONE_NEWPID | unix.CLONE_NEWIPC | unix.CLONE_NEWUTS}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("seed %s: %v\n%s", seed, err, out)
	}
	figures.Add(t, "attacks: "+strings.TrimSpace(string(out)))
}
