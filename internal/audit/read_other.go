//go:build !linux

package audit

import (
	"errors"
	"fmt"
	"iter"
	"runtime"
)

type reader struct{}

var errOther = fmt.Errorf("auditing processes on %s: %w", runtime.GOOS, errors.ErrUnsupported)

func (*reader) process(int) (Process, error) { return Process{}, errOther }

func readAll() iter.Seq2[Process, error] {
	return func(yield func(Process, error) bool) { yield(Process{}, errOther) }
}
