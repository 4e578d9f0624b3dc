package drop

import (
	"fmt"
	"sync"
	"syscall"
)

// mu lets one change of this process happen at a time, [Start] included, whose
// thread differs from the others while it lives.
var mu sync.Mutex

// alone runs change while no other change and no fork happens in the process:
// a child starts before the drop or after it, never half way. Its errors begin
// with op, the name of the exported function.
func alone(op string, change func() error) error {
	mu.Lock()
	defer mu.Unlock()
	syscall.ForkLock.Lock()
	defer syscall.ForkLock.Unlock()
	err := carried(change)
	if e, ok := err.(*Error); ok {
		e.Op = op
		return e
	}
	if err != nil {
		return fmt.Errorf("%s: %w", op, err)
	}
	return nil
}
