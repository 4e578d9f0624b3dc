package guard_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/lowport/lowport/guard"
)

// taken is an address that this process listens on.
func taken(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	return ln.Addr().String()
}

// An error of a listen is explained, however it is wrapped, and stays what it was.
func TestExplain(t *testing.T) {
	address := taken(t)
	inUse := http.ListenAndServe(address, nil)
	_, unknown := net.Listen("tcp", "nowhere.invalid:443")
	_, malformed := net.Listen("tcp", "443")
	_, service := net.Listen("tcp", ":no-such-service")
	for _, tt := range []struct {
		what    string
		err     error
		cause   string
		subject string
	}{
		{"of http.ListenAndServe", inUse, "address-in-use", "bind tcp " + address},
		{"wrapped", fmt.Errorf("serve: %w", inUse), "address-in-use", "bind tcp " + address},
		{"joined", errors.Join(errors.New("other"), inUse), "address-in-use", "bind tcp " + address},
		{"behind a nil pointer", fmt.Errorf("%w, %w, %w", (*net.OpError)(nil), (*os.SyscallError)(nil), inUse), "address-in-use", "bind tcp " + address},
		{"in an error without an address", &net.OpError{Op: "listen", Net: "tcp", Err: inUse}, "address-in-use", "bind tcp " + address},
		{"of a Control function's own", controlled(inUse), "address-in-use", "bind tcp " + address},
		{"two of them", errors.Join(inUse, inUse), "address-in-use", "bind tcp " + address + ", tcp " + address},
		{"an unknown host", unknown, "host-unresolved", "bind tcp nowhere.invalid:"},
		{"a malformed address", malformed, "address-invalid", "bind tcp 443"},
		{"an unknown service", service, "address-invalid", "bind tcp :no-such-service"},
	} {
		err := guard.Explain(tt.err)
		var refused *guard.Error
		if !errors.As(err, &refused) || len(refused.Causes) == 0 || refused.Causes[0].ID != tt.cause || refused.Subject != tt.subject {
			t.Errorf("%s: %+v", tt.what, err)
			continue
		}
		if !errors.Is(err, tt.err) {
			t.Errorf("%s: it does not wrap what it explains", tt.what)
		}
		if again := guard.Explain(fmt.Errorf("again: %w", err)); errors.Unwrap(again) != err {
			t.Errorf("%s: explained twice: %v", tt.what, again)
		}
	}
}

// controlled is the error of a listen whose Control function fails.
func controlled(own error) error {
	lc := net.ListenConfig{Control: func(string, string, syscall.RawConn) error { return own }}
	_, err := lc.Listen(context.Background(), "tcp", "127.0.0.1:0")
	return err
}

// nilFunc and nilMap are errors of kinds that can be nil and are no pointers.
type (
	nilFunc func() string
	nilMap  map[int]string
)

func (f nilFunc) Error() string { return f() }
func (m nilMap) Error() string  { return m[0] }

// What a wrapper says stays in the one line, behind it the cause.
func TestExplainKeepsWords(t *testing.T) {
	address := taken(t)
	_, inUse := net.Listen("tcp", address)
	err := guard.Explain(fmt.Errorf("admin server: %w", errors.Join(inUse, errors.New("and more"))))
	if want := "admin server: " + inUse.Error() + "; and more: port "; !strings.HasPrefix(err.Error(), want) || strings.Contains(err.Error(), "\n") {
		t.Errorf("%v, want %q", err, want)
	}
}

// notOurs are errors that no listen on TCP or UDP made.
func notOurs(t *testing.T) map[string]error {
	t.Helper()
	_, dial := net.Dial("tcp", "127.0.0.1:1")
	_, file := os.Open("/nonexistent")
	_, unix := net.Listen("unix", "/nonexistent/socket")
	canceled := &net.OpError{Op: "listen", Net: "tcp", Err: context.Canceled} // a real look-up may end before it hears of that
	control := controlled(errors.New("no such device"))
	if dial == nil || file == nil || unix == nil || control == nil {
		t.Fatal(dial, file, unix, control)
	}
	return map[string]error{
		"a dial": dial, "a file": file, "a unix socket": unix, "a context": canceled, "its own Control": control,
		"a dial of its own Control": controlled(dial),
		"a nil of its own Control":  controlled((*net.OpError)(nil)),
		"a nil *net.OpError":        (*net.OpError)(nil),
		"a nil *os.SyscallError":    (*os.SyscallError)(nil),
		"a nil *guard.Error":        (*guard.Error)(nil),
		"an OpError of nothing":     &net.OpError{Op: "listen", Net: "tcp"},
		"a nil address":             &net.OpError{Op: "listen", Net: "tcp", Addr: (*net.TCPAddr)(nil), Err: syscall.EACCES},
		"a nil cause":               &net.OpError{Op: "listen", Net: "tcp", Addr: &net.TCPAddr{Port: 443}, Err: (*os.SyscallError)(nil)},
		"a server that was ended":   http.ErrServerClosed,
		"a listener of a file":      &net.OpError{Op: "file", Net: "tcp", Err: syscall.EINVAL},
		"a text":                    errors.New("permission denied"),
	}
}

func TestExplainLeavesTheRest(t *testing.T) {
	if err := guard.Explain(nil); err != nil {
		t.Errorf("nil became %v", err)
	}
	for what, err := range notOurs(t) {
		if got := guard.Explain(err); got != err {
			t.Errorf("%s became %T", what, got)
		}
	}
	bare := os.NewSyscallError("bind", syscall.EACCES) // of which address?
	if got := guard.Explain(bare); got != bare {
		t.Errorf("a bare errno became %+v", got)
	}
}

// A nil of any kind is left alone: its methods may not be called.
func TestExplainNil(t *testing.T) {
	if got, ok := guard.ExplainBind("tcp", ":443", nilFunc(nil)).(nilFunc); !ok || got != nil {
		t.Error("a nil func became another error")
	}
	if got, ok := guard.ExplainBind("tcp", ":443", nilMap(nil)).(nilMap); !ok || got != nil {
		t.Error("a nil map became another error")
	}
}

// With the address given, an errno is enough, and even its words where the kernel still
// answers with them.
func TestExplainBind(t *testing.T) {
	address := taken(t)
	_, inUse := net.Listen("tcp", address)
	_, port, _ := net.SplitHostPort(address)
	for _, tt := range []struct {
		what             string
		network, address string
		err              error
		subject          string // "" for none
	}{
		{"a system call", "tcp", address, os.NewSyscallError("bind", syscall.EADDRINUSE), address},
		{"an errno", "tcp", address, syscall.EADDRINUSE, address},
		{"one that is wrapped", "tcp", address, fmt.Errorf("engine: %w", syscall.EADDRINUSE), address},
		{"a whole error", "tcp", ":1", inUse, address},
		{"a text", "tcp", address, fmt.Errorf("app: %v", inUse), address},
		{"a name", "tcp", net.JoinHostPort("localhost", port), syscall.EADDRINUSE, address},
		{"another text", "tcp", address, errors.New("no certificate"), ""},
		{"a text that is not true any more", "tcp", freeAddress(), fmt.Errorf("app: %v", inUse), ""},
		{"another call", "tcp", address, os.NewSyscallError("setsockopt", syscall.EPERM), ""},
		{"a file", "tcp", address, &fs.PathError{Op: "open", Path: "/etc/ssl/key.pem", Err: syscall.EACCES}, ""},
		{"a malformed address", "tcp", "443", syscall.EADDRINUSE, ""},
		{"another network", "unix", "/run/app", syscall.EADDRINUSE, ""},
	} {
		err := guard.ExplainBind(tt.network, tt.address, tt.err)
		var refused *guard.Error
		switch {
		case tt.subject == "":
			if err != tt.err {
				t.Errorf("%s became %+v", tt.what, err)
			}
		case !errors.As(err, &refused) || refused.Subject != "bind tcp "+tt.subject || refused.Causes[0].ID != "address-in-use" || !errors.Is(err, tt.err):
			t.Errorf("%s: %+v", tt.what, err)
		case strings.Count(err.Error(), tt.address) != 1 && tt.address != ":1":
			t.Errorf("%s: it does not say once where: %v", tt.what, err)
		}
	}
	_, unknown := net.Listen("tcp", "nowhere.invalid:443")
	err := guard.ExplainBind("tcp", "nowhere.invalid:443", unknown)
	var refused *guard.Error
	if !errors.As(err, &refused) || refused.Subject != "bind tcp nowhere.invalid:443" || refused.Causes[0].ID != "host-unresolved" {
		t.Errorf("an unknown host: %+v", err)
	}
	if err := guard.ExplainBind("tcp", address, nil); err != nil {
		t.Errorf("nil became %v", err)
	}
	for what, err := range notOurs(t) {
		if what == "a text" {
			continue
		}
		if got := guard.ExplainBind("tcp", address, err); got != err {
			t.Errorf("%s became %+v", what, got)
		}
	}
}

func ExampleExplain() {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	defer ln.Close()
	err = guard.Explain(http.ListenAndServe(ln.Addr().String(), nil))
	var refused *guard.Error
	if errors.As(err, &refused) {
		fmt.Println(refused.Causes[0].ID)
	}
	// Output: address-in-use
}

// An engine that binds by itself may return the errno alone.
func ExampleExplainBind() {
	const address = "127.0.0.1:8443"
	engine := func() error { return os.NewSyscallError("bind", syscall.EADDRINUSE) }
	err := guard.ExplainBind("tcp", address, engine())
	fmt.Println(strings.HasPrefix(err.Error(), "listen tcp 127.0.0.1:8443: bind: address already in use"))
	// Output: true
}
