package main

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/lowport/lowport/guard"
)

// Real clients ask over UDP and over TCP.
func TestServe(t *testing.T) {
	free, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := free.Addr().String()
	free.Close()
	s, err := guard.BindAll(context.Background(), []string{"tcp/" + addr, "udp/" + addr})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	go serve(s)
	var b strings.Builder
	if err := get("https://"+addr, &b); err != nil || b.String() != "this is HTTP/3.0\n" {
		t.Errorf("%q, %v", &b, err)
	}
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, ForceAttemptHTTP2: true}}
	r, err := client.Get("https://" + addr)
	if err != nil {
		t.Fatal(err)
	}
	r.Body.Close()
	if alt := r.Header.Get("Alt-Svc"); r.ProtoMajor != 2 || !strings.Contains(alt, "h3=") {
		t.Errorf("%s, Alt-Svc %q", r.Proto, alt)
	}
}
