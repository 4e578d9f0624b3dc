//go:build cgo

package drop_test

import (
	"os/exec"
	"testing"

	"github.com/lowport/lowport/internal/needs"
)

// Threads made by C code are dropped like all others. A test file cannot use
// cgo itself, so this is a program of its own.
func TestCThreads(t *testing.T) {
	needs.Root(t, "go", "cc")
	exe := t.TempDir() + "/cthreads"
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", exe, "./testdata/cthreads").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for range 20 {
		if out, err := exec.CommandContext(t.Context(), exe).CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
}
