//go:build !linux

package privport

import (
	"errors"

	"github.com/lowport/lowport/caps"
)

func raise(set caps.Set, _ func() error) error {
	return &RaiseError{Set: set, Err: errors.ErrUnsupported}
}

func onlyPermitted(caps.Cap) (bool, error) { return false, nil }
