package privport

import (
	"context"
	"errors"
	"net"
	"os"
	"syscall"
	"testing"

	"github.com/lowport/lowport/internal/needs"
)

// Where the caller no longer waits, that is the error, and not what authbind would
// have answered.
func TestAuthbindCanceled(t *testing.T) {
	if _, err := os.Stat(authbindHelper); err != nil {
		needs.Lack(t, "authbind")
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	refused := &net.OpError{Op: "listen", Net: "tcp", Addr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 443}, Err: os.NewSyscallError("bind", syscall.EACCES)}
	f, err := Config{}.authbind(ctx, "tcp", refused)
	if f != nil || !errors.Is(err, context.Canceled) {
		t.Errorf("%v, %v", f, err)
	}
}
