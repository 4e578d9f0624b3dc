//go:build linux

package lab

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
)

// A tally counts what the scenarios found.
type tally struct {
	scenarios, causesRight, causesWrong, fixesRun, fixesWorked atomic.Int64
	predicted, predictedWrong, unpredicted                     atomic.Int64

	mu   sync.Mutex
	left map[string]int // scenarios for another machine, by what they need
}

// leave notes that a scenario was not run here by design.
func (t *tally) leave(what string) {
	t.scenarios.Add(-1)
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.left == nil {
		t.left = make(map[string]int)
	}
	t.left[what]++
}

func (t *tally) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	var left strings.Builder
	for _, what := range slices.Sorted(maps.Keys(t.left)) {
		fmt.Fprintf(&left, ", left to other machines for %s %d", what, t.left[what])
	}
	return fmt.Sprintf("scenarios %d, causes right %d, wrong %d, fixes executed %d, worked %d, predictions %d, wrong %d, starts that none is made for %d",
		t.scenarios.Load(), t.causesRight.Load(), t.causesWrong.Load(), t.fixesRun.Load(), t.fixesWorked.Load(),
		t.predicted.Load(), t.predictedWrong.Load(), t.unpredicted.Load()) + left.String()
}
