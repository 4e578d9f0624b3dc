package main

import (
	"context"
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
