package main

import (
	"context"
	"fmt"
	"net"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/lowport/lowport/guard"
)

// A real client asks over both, and gets the same.
func TestAnswers(t *testing.T) {
	free, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := free.Addr().String()
	free.Close()
	names, err := parse([]string{"web.example=192.0.2.1", "Web.Example.=2001:db8::1"})
	if err != nil {
		t.Fatal(err)
	}
	var r guard.Report
	s, err := guard.BindAll(context.Background(), []string{"udp/" + addr, "tcp/" + addr}, guard.ReportTo(&r))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if want := "bind udp " + addr + ", tcp " + addr; r.Subject != want || r.Via != "plain" {
		t.Errorf("subject %q via %q, want %q", r.Subject, r.Via, want)
	}
	go (&dns.Server{PacketConn: s.PacketConns[0], Handler: names}).ActivateAndServe()
	go (&dns.Server{Listener: s.Listeners[0], Handler: names}).ActivateAndServe()
	for _, network := range []string{"udp", "tcp"} {
		for _, tt := range []struct {
			name  string
			kind  uint16
			rcode int
			want  string
		}{
			{"web.example.", dns.TypeA, dns.RcodeSuccess, "web.example.\t60\tIN\tA\t192.0.2.1"},
			{"WEB.example.", dns.TypeAAAA, dns.RcodeSuccess, "WEB.example.\t60\tIN\tAAAA\t2001:db8::1"},
			{"web.example.", dns.TypeMX, dns.RcodeSuccess, ""},
			{"other.example.", dns.TypeA, dns.RcodeNameError, ""},
		} {
			m, _, err := (&dns.Client{Net: network, Timeout: time.Minute}).Exchange(new(dns.Msg).SetQuestion(tt.name, tt.kind), addr)
			if err != nil {
				t.Fatalf("%s %s: %v", network, tt.name, err)
			}
			got := ""
			for _, rr := range m.Answer {
				got += rr.String()
			}
			if m.Rcode != tt.rcode || got != tt.want {
				t.Errorf("%s %s: code %d, %q, want %q", network, tt.name, m.Rcode, got, tt.want)
			}
		}
	}
}

// An answer over UDP is no longer than the client takes, and says that it was cut.
func TestFits(t *testing.T) {
	var args []string
	for i := range 90 {
		args = append(args, fmt.Sprintf("many.example=192.0.2.%d", i))
	}
	names, err := parse(args)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		network string
		takes   uint16 // 0 is a client without EDNS
		most    int
		cut     bool
	}{{"udp", 0, 512, true}, {"udp", 100, 512, true}, {"udp", 900, 900, true}, {"udp", 4096, 1232, true}, {"tcp", 0, 65535, false}, {"tcp", 512, 65535, false}} {
		r := new(dns.Msg).SetQuestion("many.example.", dns.TypeA)
		if tt.takes > 0 {
			r.SetEdns0(tt.takes, false)
		}
		w := &written{network: tt.network}
		names.ServeDNS(w, r)
		wire, err := w.m.Pack()
		if err != nil || len(wire) > tt.most || w.m.Truncated != tt.cut || tt.cut != (len(w.m.Answer) < 90) {
			t.Errorf("%+v: %d bytes, %d answers, truncated %t, %v", tt, len(wire), len(w.m.Answer), w.m.Truncated, err)
		}
		if opt := w.m.IsEdns0(); (opt != nil) != (tt.takes > 0) {
			t.Errorf("%+v: OPT %v", tt, opt)
		}
	}
}

// What is no query has no answer.
func TestNotify(t *testing.T) {
	w := &written{network: "udp"}
	zone{"web.example.": nil}.ServeDNS(w, new(dns.Msg).SetNotify("web.example."))
	if w.m.Rcode != dns.RcodeNotImplemented {
		t.Error(w.m)
	}
}

// written is where an answer goes that no client asked for.
type written struct {
	dns.ResponseWriter
	network string
	m       *dns.Msg
}

func (w *written) RemoteAddr() net.Addr {
	if w.network == "tcp" {
		return &net.TCPAddr{}
	}
	return &net.UDPAddr{}
}

func (w *written) WriteMsg(m *dns.Msg) error {
	w.m = m
	return nil
}
