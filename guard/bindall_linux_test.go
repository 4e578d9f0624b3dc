package guard_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/lowport/lowport/guard"
	"github.com/lowport/lowport/guard/report"
	"github.com/lowport/lowport/privport"
)

// bindable reports whether an address is free.
func bindable(address string) bool {
	s, err := guard.BindAll(context.Background(), []string{address})
	if err != nil {
		return false
	}
	s.Close()
	return true
}

func TestBindAll(t *testing.T) {
	a, b := free(t), free(t)
	var r guard.Report
	var controlled atomic.Int32
	lc := net.ListenConfig{Control: func(network, address string, c syscall.RawConn) error {
		controlled.Add(1)
		return nil
	}}
	s, err := guard.BindAll(context.Background(), []string{a, "udp/" + a, "udp4/" + b}, guard.ReportTo(&r), guard.ListenConfig(lc))
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Listeners) != 1 || len(s.PacketConns) != 2 || s.Listeners[0].Addr().String() != a || s.PacketConns[1].LocalAddr().String() != b {
		t.Errorf("%+v", s)
	}
	if want := fmt.Sprintf("bind tcp %s, udp %s, udp4 %s", a, a, b); !r.OK || r.Subject != want || r.Via != "plain" || len(r.Notes) != 0 {
		t.Errorf("%+v, want the subject %q", r, want)
	}
	if n := controlled.Load(); n < 3 {
		t.Errorf("Control was called %d times for 3 sockets", n)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if !bindable(a) || !bindable("udp/"+b) {
		t.Error("Close left something open")
	}
}

// Nothing stays bound where one fails, and one report covers all that failed.
func TestBindAllOrNothing(t *testing.T) {
	a, b := free(t), free(t)
	taken, err := net.Listen("tcp4", b)
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	busy, err := net.ListenPacket("udp4", b)
	if err != nil {
		t.Fatal(err)
	}
	defer busy.Close()
	var r guard.Report
	s, err := guard.BindAll(context.Background(), []string{a, b, "udp/" + a, "udp/" + b}, guard.ReportTo(&r))
	var refused *guard.Error
	if s != nil || !errors.As(err, &refused) || !errors.Is(err, syscall.EADDRINUSE) || refused.ExitCode() != 69 {
		t.Fatalf("%v, %v", s, err)
	}
	head := fmt.Sprintf("listen tcp %s, udp %s: address already in use: ", b, b)
	if !strings.HasPrefix(r.String(), head) || r.Errno != "EADDRINUSE" || len(r.Causes) != 1 || r.OK || r.Via != "" {
		t.Errorf("%s\nwant %q", r, head)
	}
	if !strings.Contains(r.String(), b+" listens: this process itself") || !strings.Contains(r.String(), b+" is bound: this process itself") {
		t.Errorf("not both sockets are in evidence: %s", r)
	}
	if !bindable(a) || !bindable("udp/"+a) {
		t.Error("what was bound before the failure is open still")
	}
}

// A list that has one port twice says so, and blames nobody else.
func TestBindAllTwice(t *testing.T) {
	_, port, err := net.SplitHostPort(free(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ list, says string }{
		{":P :P", "the list has tcp :P twice"},
		{"127.0.0.1:P tcp4/127.0.0.1:P", "tcp 127.0.0.1:P and tcp4 127.0.0.1:P of the same list exclude each other"},
		{":P 127.0.0.1:P", "tcp :P and tcp 127.0.0.1:P of the same list exclude each other"},
		{"127.0.0.1:P :P", "tcp 127.0.0.1:P and tcp :P of the same list exclude each other"},
		{"127.0.0.1:P localhost:P", "tcp 127.0.0.1:P and tcp localhost:P of the same list exclude each other"},
		{"tcp4/:P udp/:P 127.0.0.2:P", "tcp4 :P and tcp 127.0.0.2:P of the same list exclude each other"},
		{"udp/:P udp4/127.0.0.1:P", "udp :P and udp4 127.0.0.1:P of the same list exclude each other"},
		{":P udp/:P", ""},
		{"127.0.0.1:P 127.0.0.2:P", ""},
		{":0 :0", ""},
	} {
		var r guard.Report
		s, err := guard.BindAll(context.Background(), strings.Fields(strings.ReplaceAll(tt.list, "P", port)), guard.ReportTo(&r))
		if err == nil {
			s.Close()
		}
		want := strings.ReplaceAll(tt.says, "P", port)
		switch {
		case (err == nil) != (want == ""):
			t.Errorf("%s: %v", tt.list, err)
		case err != nil && (len(r.Causes) != 1 || r.Causes[0].ID != "address-in-use" || r.Causes[0].Summary != want || err.(*guard.Error).ExitCode() != 69 || len(r.Fixes) != 0):
			t.Errorf("%s: %+v\n%s", tt.list, r.Causes, r)
		}
	}
}

// What is malformed is found before anything is bound.
func TestBindAllMalformed(t *testing.T) {
	a := free(t)
	for _, address := range []string{"443", "udp/53", "sctp/:1", "/:1", "udp/1", "tcp/udp/:1", "unix//run/x", "tcp\x1b/:1"} {
		called := false
		lc := net.ListenConfig{Control: func(string, string, syscall.RawConn) error { called = true; return nil }}
		_, err := guard.BindAll(context.Background(), []string{a, address}, guard.ListenConfig(lc))
		var refused *guard.Error
		if !errors.As(err, &refused) || refused.ExitCode() != 64 || called || strings.Contains(refused.String(), "\x1b") {
			t.Errorf("%q: %q, bound: %v", address, err, called)
		}
	}
	for _, tt := range []struct{ network, ok string }{{"tcp4", "tcp"}, {"udp4", "udp"}} {
		_, errTCP := guard.Bind(a, guard.Network(tt.network))
		_, errUDP := guard.BindPacket(a, guard.Network(tt.network))
		if (errTCP == nil) != (tt.ok == "tcp") || (errUDP == nil) != (tt.ok == "udp") {
			t.Errorf("%s: Bind %v, BindPacket %v", tt.network, errTCP, errUDP)
		}
	}
}

// A server whose list of addresses is empty does not start as if all were well.
func TestBindAllOfNothing(t *testing.T) {
	s, err := guard.BindAll(context.Background(), nil)
	var refused *guard.Error
	if !errors.As(err, &refused) || refused.ExitCode() != 64 {
		t.Errorf("%+v, %v", s, err)
	}
}

// A Control that fails is the error of the bind, whatever its error looks like: neither the
// port nor the address is blamed, and the bind is not tried.
func TestControlFails(t *testing.T) {
	_, other := net.Listen("tcp", taken(t))
	_, dial := net.Dial("tcp", "127.0.0.1:1")
	_, file := os.Open("/nonexistent")
	for what, own := range map[string]error{
		"a text": errors.New("no such device"), "a context": context.Canceled, "an errno": syscall.EACCES,
		"a bind": os.NewSyscallError("bind", syscall.EACCES), "a connect": os.NewSyscallError("connect", syscall.EACCES),
		"a listen": other, "a dial": dial, "a file": file,
		"an address": &net.AddrError{Err: "odd", Addr: "x"}, "a host": &net.DNSError{Err: "odd", Name: "x"},
		"a nil *net.OpError": (*net.OpError)(nil), "a nil *os.PathError": (*os.PathError)(nil),
	} {
		lc := net.ListenConfig{Control: func(string, string, syscall.RawConn) error { return own }}
		_, err := guard.Bind(free(t), guard.ListenConfig(lc))
		var refused *guard.Error
		var marked *privport.ControlError
		if !errors.As(err, &refused) || refused.Causes[0].ID != "control-refused" || refused.Causes[0].Certainty != report.Proven {
			t.Errorf("%s: %v", what, err)
		}
		if !errors.As(err, &marked) || marked.Err != own || !strings.Contains(err.Error(), "Control function failed: ") {
			t.Errorf("%s: %v does not wrap it", what, err)
		}
	}
}

// The context's error is its own, and no host is blamed.
func TestContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for _, address := range []string{"localhost:443", "nowhere.invalid:443", "localhost:no-such-service", "udp/localhost:53"} {
		var r guard.Report
		s, err := guard.BindAll(ctx, []string{address, free(t)}, guard.ReportTo(&r))
		refused := (*guard.Error)(nil)
		if s != nil || !errors.Is(err, context.Canceled) || errors.As(err, &refused) {
			t.Errorf("%s: %v, %v", address, s, err)
		}
		if r.OK || r.Error == "" || len(r.Causes) != 0 {
			t.Errorf("%s: report %+v", address, r)
		}
	}
	// What needs no look-up does not ask the context, as with package net.
	s, err := guard.BindAll(ctx, []string{free(t)})
	if err != nil {
		t.Fatal(err)
	}
	s.Close()
}

func ExampleBindAll() {
	s, err := guard.BindAll(context.Background(), []string{"127.0.0.1:8053", "udp/127.0.0.1:8053"})
	if err != nil {
		fmt.Printf("%+v", err)
		return
	}
	defer s.Close()
	fmt.Println(len(s.Listeners), len(s.PacketConns))
	// Output: 1 1
}

func ExampleBindPacket() {
	_, err := guard.BindPacket("127.0.0.1:domain/udp")
	fmt.Println(err)
	// Output: listen udp 127.0.0.1:domain/udp: malformed address: "domain/udp" is no port [address-invalid]
}
