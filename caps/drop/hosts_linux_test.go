//go:build cgo

package drop_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"testing"
	"time"

	"github.com/lowport/lowport/internal/figures"
	"github.com/lowport/lowport/internal/needs"
)

// Programs that are not Go's, in which the Go runtime has started on a thread of its own
// making: each drops everything, and reads in its own way what its threads hold. One
// that hangs is killed, which is a failure. LOWPORT_DROP_RUNS says how often each runs.
func TestHosts(t *testing.T) {
	needs.Root(t, "go", "cc", "python3")
	runs := 10
	if s := os.Getenv("LOWPORT_DROP_RUNS"); s != "" {
		var err error
		if runs, err = strconv.Atoi(s); err != nil {
			t.Fatal(err)
		}
	}
	dir := t.TempDir()
	for _, build := range [][]string{
		{"go", "build", "-buildmode=c-shared", "-o", dir + "/lib.so", "./testdata/hosts/lib"},
		{"go", "build", "-buildmode=c-archive", "-o", dir + "/lib.a", "./testdata/hosts/lib"},
		{"go", "build", "-buildmode=plugin", "-o", dir + "/plug.so", "./testdata/hosts/plug"},
		{"go", "build", "-o", dir + "/plughost", "./testdata/hosts/plughost"},
		{"cc", "-o", dir + "/loads", "testdata/hosts/host.c", "-lpthread", "-ldl"},
		{"cc", "-DLINKED", "-o", dir + "/linked", "testdata/hosts/host.c", dir + "/lib.a", "-lpthread", "-ldl"},
	} {
		if out, err := exec.CommandContext(t.Context(), build[0], build[1:]...).CombinedOutput(); err != nil {
			t.Fatalf("%v: %v\n%s", build, err, out)
		}
	}
	for name, host := range map[string][]string{
		"c-shared": {dir + "/loads", dir + "/lib.so"}, "c-archive": {dir + "/linked"},
		"python": {"python3", "testdata/hosts/host.py", dir + "/lib.so"}, "plugin": {dir + "/plughost", dir + "/plug.so"},
	} {
		t.Run(name, func(t *testing.T) {
			for i := range runs {
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				out, err := exec.CommandContext(ctx, host[0], host[1:]...).CombinedOutput()
				cancel()
				if err != nil {
					t.Fatalf("run %d: %v\n%s", i, err, out)
				}
			}
			figures.Add(t, fmt.Sprintf("drop in a host of another language, %s: runs %d, hangs 0, threads that held something 0", name, runs))
		})
	}
}
