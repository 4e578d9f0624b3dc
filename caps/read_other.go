//go:build !linux

package caps

import (
	"errors"
	"fmt"
	"runtime"
)

var errOther = fmt.Errorf("capabilities on %s: %w", runtime.GOOS, errors.ErrUnsupported)

func self() (State, error) { return State{}, errOther }

func threads(int) (map[int]State, error) { return nil, errOther }

func readFile(string) (File, error) { return File{}, errOther }
