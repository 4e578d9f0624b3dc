// Package dropped remembers what this process has let go of by package caps/drop.
// The kernel does not: a process of root that has emptied its sets looks as one that
// was started with empty sets.
package dropped

import (
	"sync/atomic"

	"github.com/lowport/lowport/caps"
)

var (
	sets       atomic.Uint64
	noNewPrivs atomic.Bool
)

// Note notes what was permitted just before a drop.
func Note(s caps.Set) { sets.Or(uint64(s)) }

// Noted is all that was noted in this process. What of it is no longer permitted, the
// process let go of: only execve(2) adds to the permitted set, and a program that it
// executes begins with nothing noted.
func Noted() caps.Set { return caps.Set(sets.Load()) }

// NoteNoNewPrivs notes that a drop set no_new_privs where it was not set.
func NoteNoNewPrivs() { noNewPrivs.Store(true) }

// NoNewPrivs reports whether a drop set no_new_privs in this process. Whoever started the
// process did not.
func NoNewPrivs() bool { return noNewPrivs.Load() }
