//go:build linux

package lab

import (
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"testing"
)

// A tally counts what the scenarios found.
type tally struct {
	scenarios, causesRight, causesWrong, fixesRun, fixesWorked atomic.Int64
}

func (t *tally) String() string {
	return fmt.Sprintf("scenarios %d, causes right %d, wrong %d, fixes executed %d, worked %d",
		t.scenarios.Load(), t.causesRight.Load(), t.causesWrong.Load(), t.fixesRun.Load(), t.fixesWorked.Load())
}

// record appends a line to the file that LOWPORT_TALLY names, if it names one:
// go test shows nothing of what a test that passes has logged.
func record(t *testing.T, line string) {
	t.Helper()
	path := os.Getenv("LOWPORT_TALLY")
	if path == "" {
		return
	}
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		t.Error(err)
		return
	}
	_, err = fmt.Fprintln(f, line)
	if err := errors.Join(err, f.Close()); err != nil {
		t.Error(err)
	}
}
