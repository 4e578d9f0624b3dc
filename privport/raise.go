package privport

import (
	"fmt"

	"github.com/lowport/lowport/caps"
)

// Raise calls f with the capabilities of set effective, and lowers them again when f
// returns, panics or ends its goroutine.
//
// f runs on the caller's own goroutine and operating system thread, so in the
// namespaces of that thread and with no capability that the thread does not have.
// While f runs, no other goroutine runs on that thread, and no other thread has the
// capabilities because of Raise: f must do the privileged system call itself, not in
// a goroutine that it starts. A host name is best resolved beforehand, since
// look-ups start goroutines. A program that f executes gets no capability from
// Raise, see [caps.State.Exec].
//
// The capabilities have to be permitted, as by `setcap cap_net_bind_service=+p`.
// What is effective already stays effective. The error is that of f, or a
// *[RaiseError]: either f was not called, or the thread could not be lowered. In the
// second case the calling goroutine stays locked to the thread, and the runtime never
// gives the thread to another goroutine. Off Linux the *RaiseError wraps
// [errors.ErrUnsupported].
func Raise(set caps.Set, f func() error) error { return raise(set, f) }

// A RaiseError says which capabilities could not be raised, or not be lowered again,
// and why.
type RaiseError struct {
	Set caps.Set // the capabilities that could not be changed
	Err error    // *os.SyscallError of capset(2) or capget(2), [io/fs.ErrPermission] or [errors.ErrUnsupported]

	// Lower reports that f was called and the capabilities may be effective still,
	// on a thread that no other goroutine will run on.
	Lower bool
}

// Error returns what was tried and why it failed.
func (e *RaiseError) Error() string {
	if e.Lower {
		return fmt.Sprintf("lower %v: %v", e.Set, e.Err)
	}
	return fmt.Sprintf("raise %v: %v", e.Set, e.Err)
}

// Unwrap returns Err.
func (e *RaiseError) Unwrap() error { return e.Err }
