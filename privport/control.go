package privport

import (
	"fmt"
	"net"
	"reflect"
	"syscall"
)

// A ControlError is the error of the program's own Control function. The bind was not tried.
// The *net.OpError of [Listen] wraps it, so that it is not taken for the kernel's answer.
type ControlError struct{ Err error }

func (e *ControlError) Error() string { return fmt.Sprint(e.Err) } // also of a nil pointer

// Unwrap returns the error of the Control function, and nil for a nil pointer, whose methods
// may not be called.
func (e *ControlError) Unwrap() error {
	if v := reflect.ValueOf(e.Err); v.Kind() == reflect.Pointer && v.IsNil() {
		return nil
	}
	return e.Err
}

// marked returns a net.ListenConfig that marks the errors of its Control function.
func marked(lc net.ListenConfig) net.ListenConfig {
	control := lc.Control
	if control == nil {
		return lc
	}
	lc.Control = func(network, address string, c syscall.RawConn) error {
		if err := control(network, address, c); err != nil {
			return &ControlError{err}
		}
		return nil
	}
	return lc
}
