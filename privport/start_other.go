//go:build !linux

package privport

import (
	"errors"
	"fmt"
	"runtime"
)

var errNoPorts = fmt.Errorf("privileged ports on %s: %w", runtime.GOOS, errors.ErrUnsupported)

func start() (int, error) { return 0, errNoPorts }

func ownNetwork() (bool, error) { return false, errNoPorts }
