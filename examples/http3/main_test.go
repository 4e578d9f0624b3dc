package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

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
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	slow, release := make(chan bool), map[int]chan bool{2: make(chan bool), 3: make(chan bool)}
	ended := make(chan error, 1)
	go func() {
		ended <- serve(ctx, s, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/slow" {
				slow <- true
				<-release[r.ProtoMajor]
			}
			fmt.Fprintln(w, "this is", r.Proto)
		})
	}()
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

	// What is asked before the end is answered, over both.
	answers := make(chan string, 2)
	go func() {
		var b strings.Builder
		err := get("https://"+addr+"/slow", &b)
		answers <- fmt.Sprint(b.String(), err)
	}()
	go func() {
		r, err := client.Get("https://" + addr + "/slow")
		if err != nil {
			answers <- err.Error()
			return
		}
		defer r.Body.Close()
		b, err := io.ReadAll(r.Body)
		answers <- fmt.Sprint(string(b), err)
	}()
	for range 2 {
		<-slow
	}
	stop()
	for { // until it takes no more
		c, err := net.Dial("tcp", addr)
		if err != nil {
			break
		}
		c.Close()
		select {
		case err := <-ended:
			t.Fatal("it ended before it had answered: ", err)
		default:
		}
	}
	close(release[2])
	if got := <-answers; got != "this is HTTP/2.0\n<nil>" {
		t.Error(got)
	}
	select {
	case err := <-ended:
		t.Fatal("it ended before it had answered over UDP: ", err)
	case <-time.After(time.Second): // as far as can be told
	}
	close(release[3])
	if got := <-answers; got != "this is HTTP/3.0\n<nil>" {
		t.Error(got)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
