// Droproot is started as root, as containers are by default, binds two low ports,
// and then becomes an ordinary user without any privilege:
//
//	droproot [-http :80] [-https :443] [-user nobody]
//
// Its page shows what it holds, as the kernel sees it. The certificate is made at
// start and self-signed; what only root may read, such as a real key, would be
// read at the same point, before the drop.
package main

import (
	"context"
	"crypto/tls"
	"errors"
	"flag"
	"fmt"
	"log"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/lowport/lowport/caps/drop"
	"github.com/lowport/lowport/examples/internal/selfsigned"
	"github.com/lowport/lowport/guard"
)

func main() {
	httpAddr := flag.String("http", ":80", "`address` to serve HTTP on")
	httpsAddr := flag.String("https", ":443", "`address` to serve HTTPS on")
	user := flag.String("user", "nobody", "`name` of the user to become")
	flag.Parse()
	if flag.NArg() > 0 { // an address without its flag: another would be served
		flag.Usage()
		os.Exit(64) // EX_USAGE
	}

	cert, err := selfsigned.New("localhost", 24*time.Hour)
	if err != nil {
		log.Fatal(err)
	}
	plain := guard.MustBind(*httpAddr)
	secure := tls.NewListener(guard.MustBind(*httpsAddr), &tls.Config{
		Certificates: []tls.Certificate{cert},
		NextProtos:   []string{"h2", "http/1.1"},
	})
	if err := drop.ToUser(*user); err != nil {
		log.Fatal(err)
	}

	server := &http.Server{Handler: http.HandlerFunc(page), ReadHeaderTimeout: 5 * time.Second}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	failed := make(chan error, 2)
	go func() { failed <- server.Serve(plain) }()
	go func() { failed <- server.Serve(secure) }()
	log.Printf("uid %d serves http://%s and https://%s, holding nothing", os.Getuid(), plain.Addr(), secure.Addr())

	select {
	case err = <-failed:
	case <-ctx.Done():
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		err = server.Shutdown(ctx)
	}
	if err != nil && !errors.Is(err, http.ErrServerClosed) {
		log.Fatal(err)
	}
}

// page shows what every thread of this server holds.
func page(w http.ResponseWriter, r *http.Request) {
	s, err := drop.Held()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	groups, err := os.Getgroups()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	fmt.Fprintf(w, "uid %d, gid %d, groups %d; every thread holds\n\n", os.Getuid(), os.Getgid(), groups)
	fmt.Fprintf(w, "inheritable  %s %v\n", s.Inheritable.Hex(), s.Inheritable)
	fmt.Fprintf(w, "permitted    %s %v\n", s.Permitted.Hex(), s.Permitted)
	fmt.Fprintf(w, "effective    %s %v\n", s.Effective.Hex(), s.Effective)
	fmt.Fprintf(w, "bounding     %s %v\n", s.Bounding.Hex(), s.Bounding)
	fmt.Fprintf(w, "ambient      %s %v\n", s.Ambient.Hex(), s.Ambient)
	fmt.Fprintf(w, "no_new_privs %t\n", s.NoNewPrivs)
}
