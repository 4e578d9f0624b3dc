// Package dropped remembers what this process has let go of by package caps/drop.
// The kernel does not: a process of root that has emptied its sets looks as one that
// was started with empty sets.
package dropped

import (
	"sync/atomic"

	"github.com/lowport/lowport/caps"
)

var had, gone atomic.Uint64

// Note notes what was permitted just before a drop, and what the drop keeps.
func Note(permitted, keeps caps.Set) {
	had.Or(uint64(permitted))
	gone.Or(uint64(^keeps))
}

// Noted is all that was noted in this process: what was permitted, and what a drop takes
// away whether or not it was. What is no longer permitted, the process let go of: only
// execve(2) adds to the permitted set, and a program that it executes begins with nothing
// noted.
func Noted() (permitted, takes caps.Set) { return caps.Set(had.Load()), caps.Set(gone.Load()) }
