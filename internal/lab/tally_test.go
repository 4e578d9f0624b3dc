//go:build linux

package lab

import (
	"fmt"
	"sync/atomic"
)

// A tally counts what the scenarios found.
type tally struct {
	scenarios, causesRight, causesWrong, fixesRun, fixesWorked atomic.Int64
	predicted, predictedWrong, unpredicted                     atomic.Int64
}

func (t *tally) String() string {
	return fmt.Sprintf("scenarios %d, causes right %d, wrong %d, fixes executed %d, worked %d, predictions %d, wrong %d, starts that none is made for %d",
		t.scenarios.Load(), t.causesRight.Load(), t.causesWrong.Load(), t.fixesRun.Load(), t.fixesWorked.Load(),
		t.predicted.Load(), t.predictedWrong.Load(), t.unpredicted.Load())
}
