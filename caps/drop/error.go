package drop

import (
	"fmt"
	"strings"

	"github.com/lowport/lowport/caps"
)

// An Error lists the threads that stand in the way of a drop, or that differ from
// what it should have left behind. Use [errors.As] to find it.
type Error struct {
	Op      string   // the function that was called: "drop.All"
	Threads []Thread // ascending by id, never empty
	Err     error    // what it amounts to, such as syscall.EPERM; may be nil
}

// A Thread is one thread of this process and what is wrong with it.
type Thread struct {
	TID   int
	State caps.State // as read from /proc; without Securebits
	How   string     // "effective has cap_net_raw, no_new_privs is not set"
}

// Error names the first three threads and counts the rest, on one line.
func (e *Error) Error() string {
	const most = 3
	var b strings.Builder
	fmt.Fprintf(&b, "%s: ", e.Op)
	for i, t := range e.Threads {
		if i == most {
			fmt.Fprintf(&b, "; and %d more threads", len(e.Threads)-most)
			break
		}
		if i > 0 {
			b.WriteString("; ")
		}
		fmt.Fprintf(&b, "thread %d: %s", t.TID, t.How)
	}
	if e.Err != nil {
		fmt.Fprintf(&b, ": %v", e.Err)
	}
	return b.String()
}

// Unwrap returns e.Err.
func (e *Error) Unwrap() error { return e.Err }
