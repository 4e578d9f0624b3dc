//go:build linux

package lab

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestHarness runs scenarios that are wrong, each in its own way, and sees each
// of them fail for the reason in its "want" section. In them a shell script
// with canned output stands in for the program.
func TestHarness(t *testing.T) {
	h := build(t)
	files, err := filepath.Glob("testdata/wrong/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no wrong scenarios: %v", err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".txtar")
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			content, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			// Not a comment of the script: the log would quote it.
			_, want, _ := strings.Cut(string(content), "-- want --\n")
			want, _, _ = strings.Cut(want, "\n")
			if want == "" {
				t.Fatal(`the file has no "want" section`)
			}
			var r recorder
			r.record(func() { playScenario(&r, file, h, new(tally), false) })
			switch {
			case want == "pass" && r.failed:
				t.Errorf("it failed:\n%s", r.log.String())
			case want == "pass":
			case !r.failed:
				t.Errorf("it passed:\n%s", r.log.String())
			case !strings.Contains(r.log.String(), want):
				t.Errorf("it failed, but not for the reason %q:\n%s", want, r.log.String())
			}
		})
	}
}

// A recorder is a test that notes how it ended instead of failing.
type recorder struct {
	log    strings.Builder
	failed bool
}

// stop is what ends the recorded test, as runtime.Goexit ends a real one.
type stop struct{}

func (r *recorder) Skip(args ...any)  { r.Fatal(append([]any{"skipped:"}, args...)...) }
func (r *recorder) Fatal(args ...any) { r.Log(args...); r.failed = true; panic(stop{}) }
func (r *recorder) Log(args ...any)   { fmt.Fprintln(&r.log, args...) }

// record calls f up to the point where it fails.
func (r *recorder) record(f func()) {
	defer func() {
		if p := recover(); p != nil && p != (stop{}) {
			panic(p)
		}
	}()
	f()
}
