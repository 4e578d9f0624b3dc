// HTTP3 is a server of HTTP/3, and of HTTP/2 and 1 for clients that try those
// first, that binds 443 over UDP and TCP without root and afterwards holds no
// privilege at all; or it is an HTTP/3 client, which trusts any certificate:
//
//	http3 [-addr :443]
//	http3 -get URL
package main

import (
	"context"
	"crypto/tls"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/quic-go/quic-go/http3"

	"github.com/lowport/lowport/caps/drop"
	"github.com/lowport/lowport/examples/internal/selfsigned"
	"github.com/lowport/lowport/guard"
)

func main() {
	addr := flag.String("addr", ":443", "`address` to serve on, over UDP and TCP")
	url := flag.String("get", "", "print what is at `URL`, over HTTP/3")
	flag.Parse()
	if flag.NArg() > 0 { // an address without its flag: another would be served
		flag.Usage()
		os.Exit(64) // EX_USAGE
	}
	if *url != "" {
		if err := get(*url, os.Stdout); err != nil {
			log.Fatal(err)
		}
		return
	}

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	s := guard.MustBindAll(ctx, []string{"tcp/" + *addr, "udp/" + *addr})
	if err := drop.All(); err != nil && !errors.Is(err, errors.ErrUnsupported) {
		log.Fatal(err)
	}
	log.Printf("serving https://%s, holding no capability", s.Listeners[0].Addr())
	page := func(w http.ResponseWriter, r *http.Request) { fmt.Fprintln(w, "this is", r.Proto) }
	if err := serve(ctx, s, page); err != nil {
		log.Fatal(err)
	}
}

// serve serves a page over UDP, and over TCP with a hint to ask over UDP, until ctx is
// done: then it finishes what was begun.
func serve(ctx context.Context, s *guard.Sockets, page http.HandlerFunc) error {
	cert, err := selfsigned.New("localhost", 24*time.Hour)
	if err != nil {
		return err
	}
	config := &tls.Config{Certificates: []tls.Certificate{cert}}
	quic := &http3.Server{Handler: page, TLSConfig: http3.ConfigureTLSConfig(config)}
	plain := &http.Server{
		TLSConfig:         config,
		ReadHeaderTimeout: 5 * time.Second,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if err := quic.SetQUICHeaders(w.Header()); err != nil {
				log.Print(err)
			}
			page(w, r)
		}),
	}
	failed := make(chan error, 2)
	go func() { failed <- quic.Serve(s.PacketConns[0]) }()
	go func() { failed <- plain.ServeTLS(s.Listeners[0], "", "") }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	plain.Shutdown(ctx)
	quic.Shutdown(ctx)
	return nil
}

// get asks over HTTP/3.
func get(url string, to io.Writer) error {
	transport := &http3.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
	defer transport.Close()
	r, err := (&http.Client{Transport: transport, Timeout: 20 * time.Second}).Get(url)
	if err != nil {
		return err
	}
	defer r.Body.Close()
	_, err = io.Copy(to, r.Body)
	return err
}
