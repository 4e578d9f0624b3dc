package drop

import (
	"errors"
	"strings"

	"golang.org/x/sys/unix"
)

// errNoCarrier is for a program that has no cgo and yet claims to have it: packages such
// as github.com/ebitengine/purego stand in for runtime/cgo. The Go runtime then refuses
// to make a system call on every thread, since there may be some of which it does not
// know, and libpsx, which knows them, is not linked.
var errNoCarrier = errors.New("no way to reach every thread: this program is built without cgo, " +
	"and a package in it stands in for cgo (such as github.com/ebitengine/purego): build it with CGO_ENABLED=1")

// carried runs change and tells the refusal of [syscall.AllThreadsSyscall] apart: an
// ENOTSUP, or a panic of the runtime before anything is changed.
func carried(change func() error) (err error) {
	defer func() {
		p := recover()
		if p == nil {
			return
		}
		if s, ok := p.(string); !ok || !strings.HasPrefix(s, "doAllThreadsSyscall not supported") {
			panic(p)
		}
		err = errNoCarrier
	}()
	if err = change(); errors.Is(err, unix.ENOTSUP) {
		return errNoCarrier
	}
	return err
}
