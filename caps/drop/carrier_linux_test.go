package drop_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/lowport/lowport/internal/needs"
)

// A program whose cgo is only pretended gets an error that says what to build with, and
// with the real one it drops.
func TestFakeCgo(t *testing.T) {
	needs.Root(t, "go", "cc")
	for enabled, want := range map[string]string{"0": "build it with CGO_ENABLED=1", "1": ""} {
		exe := t.TempDir() + "/fakecgo"
		build := exec.CommandContext(t.Context(), "go", "build", "-o", exe, ".")
		build.Dir = "testdata/fakecgo" // a module of its own, so that purego reaches no importer
		build.Env = append(os.Environ(), "CGO_ENABLED="+enabled)
		if out, err := build.CombinedOutput(); err != nil {
			if strings.Contains(string(out), "dial tcp") || strings.Contains(string(out), "disabled by GOPROXY=off") {
				needs.Lack(t, "github.com/ebitengine/purego, or the way to it: "+string(out))
			}
			t.Fatalf("%v\n%s", err, out)
		}
		out, err := exec.CommandContext(t.Context(), exe).CombinedOutput()
		if refused := err != nil; refused != (want != "") || !strings.Contains(string(out), want) {
			t.Errorf("CGO_ENABLED=%s: %v\n%s", enabled, err, out)
		}
	}
}
