package drop_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"unsafe"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/caps/drop"
	"github.com/lowport/lowport/internal/needs"
	"golang.org/x/sys/unix"
)

// io_uring_setup(2), io_uring_register(2)
const (
	setupSQPoll         = 1 << 1
	registerPersonality = 9
)

// ring sets up an io_uring and returns its descriptor.
func ring(flags uint32) (int, error) {
	var params [30]uint32 // struct io_uring_params
	params[2] = flags
	fd, _, errno := unix.Syscall(unix.SYS_IO_URING_SETUP, 4, uintptr(unsafe.Pointer(&params)), 0)
	return int(fd), errnoOrNil(errno)
}

func init() {
	refused := func(flags uint32, closed bool, what string) error {
		before, err := caps.Self()
		if err != nil {
			return err
		}
		fd, err := ring(flags)
		if err != nil {
			return err
		}
		if _, _, errno := unix.Syscall6(unix.SYS_IO_URING_REGISTER, uintptr(fd), registerPersonality, 0, 0, 0, 0); errno != 0 {
			return fmt.Errorf("io_uring_register: %w", errno)
		}
		if closed {
			size := unix.Getpagesize()
			if _, err := unix.Mmap(fd, 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED); err != nil {
				return err
			}
			unix.Close(fd)
		}
		for _, f := range []func() error{drop.All, func() error { return drop.ToUser("nobody") }} {
			if err := f(); err == nil || !strings.Contains(err.Error(), what) {
				return fmt.Errorf("got %v", err)
			}
		}
		after, err := caps.Self()
		if err != nil || after != before {
			return fmt.Errorf("changed: %+v, before: %+v, %v", after, before, err)
		}
		if closed {
			return nil
		}
		return errors.Join(unix.Close(fd), drop.All(), everyThread(empty))
	}
	children["ring"] = func() error { return refused(0, false, "is an io_uring") }
	children["ring that polls, closed"] = func() error { return refused(setupSQPoll, true, "works for an io_uring") }
	children["ring of afterwards"] = func() error {
		if err := drop.All(); err != nil {
			return err
		}
		_, err := ring(0)
		return errors.Join(err, drop.All())
	}
}

// What is submitted to a ring can run with what the process held before a drop.
func TestRing(t *testing.T) {
	needs.Root(t)
	fd, err := ring(0)
	if err != nil {
		needs.Lack(t, "io_uring: "+err.Error())
	}
	unix.Close(fd)
	for _, name := range []string{"ring", "ring that polls, closed", "ring of afterwards"} {
		ok(t, child(t, name))
	}
}
