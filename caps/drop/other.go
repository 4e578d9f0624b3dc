//go:build !linux

package drop

import (
	"errors"
	"fmt"
	"os/exec"
	"runtime"

	"github.com/lowport/lowport/caps"
)

func unsupported(op string) error {
	return fmt.Errorf("%s on %s: %w", op, runtime.GOOS, errors.ErrUnsupported)
}

func except(op string, _ caps.Set) error { return unsupported(op) }

func held() (caps.State, error) { return caps.State{}, unsupported("drop.Held") }

func clamp(op string, _ caps.Set) error { return unsupported(op) }

func toUser(op, _ string, _ caps.Set) error { return unsupported(op) }

func start(*exec.Cmd, Child) error { return unsupported("drop.Start") }
