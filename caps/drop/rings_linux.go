package drop

import (
	"errors"
	"fmt"
	"os"
	"strconv"

	"github.com/lowport/lowport/internal/task"
)

// noRing checks that no descriptor of this process is an io_uring(7). Such a ring keeps
// credentials: those of whoever set it up, with IORING_SETUP_SQPOLL, and those that were
// registered with it (IORING_REGISTER_PERSONALITY in io_uring_register(2)). What is
// submitted to it would run with them after a drop. Since Linux 6.15 the kernel does not
// say whether a ring has any, so each is refused.
func noRing() error {
	const fdDir = "/proc/self/fd"
	dir, err := task.Open(fdDir)
	if err != nil {
		return fmt.Errorf("looking for an io_uring: %w", err)
	}
	defer dir.Close()
	fds, err := dir.IDs(nil)
	if err != nil {
		return fmt.Errorf("looking for an io_uring: %w", err)
	}
	for _, fd := range fds {
		link, err := os.Readlink(fdDir + "/" + strconv.Itoa(fd))
		if errors.Is(err, os.ErrNotExist) {
			continue // closed since
		}
		if err != nil {
			return fmt.Errorf("looking for an io_uring: %w", err)
		}
		if link == "anon_inode:[io_uring]" {
			return fmt.Errorf("descriptor %d is an io_uring, which may keep what this process holds: close it before the drop, or set it up afterwards", fd)
		}
	}
	return nil
}
