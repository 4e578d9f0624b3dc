package guard

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"reflect"
	"strings"
	"syscall"

	"github.com/lowport/lowport/internal/ask"
	"github.com/lowport/lowport/internal/term"
	"github.com/lowport/lowport/privport"
)

// Explain explains the error of a listen that a framework or [net.Listen] made: it returns
// an *[Error] with the report of [Bind], which wraps err. So one line makes any server
// explain itself:
//
//	log.Fatal(guard.Explain(http.ListenAndServe(":443", nil)))
//
// It looks for each *net.OpError of a listen on TCP or UDP that err wraps or joins. If
// there is none, as in the error of a dial or of a unix socket, or if err is explained
// already or nil, Explain returns err unchanged. If err has lost the *net.OpError, use
// [ExplainBind].
//
// The advice fits a program that does not raise its capabilities by itself: file
// capabilities get the effective bit.
func Explain(err error) error {
	return withReport(err, listens(err), "")
}

// ExplainBind is Explain for an error that does not tell the network and the address:
// an *[os.SyscallError] of socket, bind or listen, or an errno itself. If err has lost
// even that, as one that was formatted with %v, and its text ends as the kernel's answer
// would, the kernel is asked again with a bind that is undone at once.
func ExplainBind(network, address string, err error) error {
	if all := listens(err); len(all) > 0 || isNil(err) || !mayBeBind(err) {
		return withReport(err, all, address)
	}
	at, errAddress := resolve(network, address)
	if errAddress != nil {
		return err
	}
	refused := &net.OpError{Op: "listen", Net: network, Addr: at, Err: errnoOfBind(err)}
	if refused.Err == nil {
		if refused = refusedAgain(network, address, err); refused == nil {
			return err
		}
	}
	err = withReport(err, []*net.OpError{refused}, address)
	if e, ok := err.(*Error); ok && !strings.Contains(e.Headline, address) {
		e.Headline = term.Show("listen " + network + " " + address + ": " + e.Headline)
	}
	return err
}

// withReport returns err with the report about the listens that failed in it. address is
// used for a listen that does not name its own.
func withReport(err error, listens []*net.OpError, address string) error {
	var failed []ask.Request
	for _, op := range listens {
		if r, ok := foreign(op, address); ok {
			failed = append(failed, r)
		}
	}
	if len(failed) == 0 {
		return err
	}
	r := ask.Report(failed, machine)
	r.Notes = append(r.Notes, privport.Leftover()...)
	if err != failed[0].Err { // what wraps it says where
		r.Headline = term.Show(strings.ReplaceAll(fmt.Sprint(err), "\n", "; "))
	}
	return &Error{Report: r, Err: err}
}

// foreign returns the failed request of op, which another package made. It reports
// whether there is something to explain.
func foreign(op *net.OpError, address string) (ask.Request, bool) {
	r := ask.Request{Named: true, Network: op.Net, Foreign: true, Err: op, MPTCP: triesMPTCP(op)}
	if isNil(op.Addr) { // the kernel was not asked
		r.Address = cmp.Or(address, unresolvedAddress(op.Err))
		target, err := privport.Parse(context.Background(), r.Network, r.Address)
		if err == nil {
			r.Target = target
		}
		return r, unresolvedAddress(op.Err) != ""
	}
	r.Address = op.Addr.String()
	var err error
	r.Target, err = privport.Parse(context.Background(), r.Network, r.Address)
	_, isErrno := find[syscall.Errno](op.Err) // else it is of the program's own Control
	return r, err == nil && isErrno
}

// triesMPTCP reports whether package net tries an MPTCP socket first. An engine that
// returns the bare errno makes its own sockets, of TCP.
func triesMPTCP(op *net.OpError) bool {
	return strings.HasPrefix(op.Net, "tcp") && new(net.ListenConfig).MultipathTCP()
}

// unresolvedAddress returns the address in an error about a malformed address or an unknown
// name, "" for any other error.
func unresolvedAddress(err error) string {
	if malformed, ok := find[*net.AddrError](err); ok {
		return malformed.Addr
	}
	unknown, ok := find[*net.DNSError](err)
	if !ok || ended(err) {
		return ""
	}
	if _, service, isPort := strings.Cut(unknown.Name, "/"); isPort { // "tcp/no-such-service"
		return ":" + service
	}
	return net.JoinHostPort(unknown.Name, "")
}

// ended reports whether err is the error of a context that has ended. The timeout of a name
// server looks like a deadline, but is not one.
func ended(err error) (is bool) {
	walk(err, func(err error) bool {
		like, ok := err.(interface{ Is(error) bool })
		is = is || err == context.Canceled || err == context.DeadlineExceeded || ok && like.Is(context.Canceled)
		return !is
	})
	return is
}

// listens returns each error of a listen on TCP or UDP in the tree of err, none if one is
// explained already.
func listens(err error) (found []*net.OpError) {
	explained := false
	walk(err, func(err error) bool {
		switch err := err.(type) {
		case *Error:
			explained = true
		case *net.OpError:
			if err.Op != "listen" || !strings.HasPrefix(err.Net, "tcp") && !strings.HasPrefix(err.Net, "udp") {
				return false
			}
			if _, wraps := find[*net.OpError](err.Err); wraps { // a Control function's own, or the real one
				return true
			}
			found = append(found, err)
			return false
		}
		return true
	})
	if explained {
		return nil
	}
	return found
}

// mayBeBind reports whether err may come from a bind: nothing in its tree says that it
// comes from something else, such as a file or a dial.
func mayBeBind(err error) bool {
	may := true
	walk(err, func(err error) bool {
		switch err := err.(type) {
		case *Error, *net.OpError, *fs.PathError, *os.LinkError, *net.DNSError:
			may = false
		case *os.SyscallError:
			may = may && bindCall(err.Syscall)
		}
		return may
	})
	return may && !ended(err)
}

// bindCall reports whether a system call is one of those that a listen makes.
func bindCall(name string) bool { return name == "socket" || name == "bind" || name == "listen" }

// errnoOfBind returns the error of the system call in err, nil for none.
func errnoOfBind(err error) (call error) {
	walk(err, func(err error) bool {
		switch err := err.(type) {
		case *os.SyscallError:
			call = err
			return false
		case syscall.Errno:
			call = os.NewSyscallError("bind", err)
		}
		return call == nil
	})
	return call
}

// refusedAgain binds the address as package net does and closes the socket again. It
// returns the kernel's refusal if err ends with the same words, otherwise nil.
func refusedAgain(network, address string, err error) *net.OpError {
	var s io.Closer
	var again error
	if strings.HasPrefix(network, "udp") {
		s, again = net.ListenPacket(network, address)
	} else {
		s, again = net.Listen(network, address)
	}
	if again == nil {
		s.Close()
		return nil
	}
	op, isOp := find[*net.OpError](again)
	errno, isErrno := find[syscall.Errno](again)
	if !isOp || !isErrno || !strings.HasSuffix(err.Error(), errno.Error()) {
		return nil
	}
	return op
}

// resolve returns the address as package net resolves it for a listen.
func resolve(network, address string) (net.Addr, error) {
	switch network {
	case "tcp", "tcp4", "tcp6":
		return net.ResolveTCPAddr(network, address)
	case "udp", "udp4", "udp6":
		return net.ResolveUDPAddr(network, address)
	}
	return nil, net.UnknownNetworkError(network)
}

// walk calls visit with each error in the tree of err, as [errors.As] walks it, but never
// with a nil pointer, which a method may not take. visit reports whether to go on below.
func walk(err error, visit func(error) bool) {
	if isNil(err) || !visit(err) {
		return
	}
	switch err := err.(type) {
	case interface{ Unwrap() error }:
		walk(err.Unwrap(), visit)
	case interface{ Unwrap() []error }:
		for _, err := range err.Unwrap() {
			walk(err, visit)
		}
	}
}

// find returns the first error of a type in the tree of err.
func find[T error](err error) (found T, ok bool) {
	walk(err, func(err error) bool {
		if !ok {
			found, ok = err.(T)
		}
		return !ok
	})
	return found, ok
}

// isNil reports whether v is nil or holds nil, as a nil pointer, whose methods may not be called.
func isNil(v any) bool {
	if v == nil {
		return true
	}
	value := reflect.ValueOf(v)
	switch value.Kind() {
	case reflect.Pointer, reflect.Func, reflect.Map, reflect.Slice, reflect.Chan:
		return value.IsNil()
	}
	return false
}
