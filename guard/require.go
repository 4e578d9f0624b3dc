package guard

import (
	"errors"
	"fmt"
	"runtime"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/internal/ask"
	"github.com/lowport/lowport/internal/live"
)

// Require returns nil if every named capability is effective on every thread of
// this process, and counts where it will be used: the network ones only in the
// user namespace that owns the network namespace. Otherwise, or where that
// cannot be told, the error is an *[Error] that wraps [fs.ErrPermission]; off
// Linux it wraps [errors.ErrUnsupported].
//
// For a port, [Bind] needs no Require: it raises what is merely permitted.
func Require(need ...caps.Cap) error {
	if runtime.GOOS != "linux" {
		return fmt.Errorf("capabilities on %s: %w", runtime.GOOS, errors.ErrUnsupported)
	}
	set := caps.SetOf(need...)
	if ask.Holds(set, live.ReadHeld().Facts()) {
		return nil
	}
	return ask.Require(set, live.ReadFor().Facts())
}

// MustRequire calls Require. If that fails, MustRequire writes the report to standard error
// and exits with status 77.
func MustRequire(need ...caps.Cap) { must(Require(need...)) }
