// Server is an HTTPS server that binds a low port without root and afterwards
// holds no privilege at all:
//
//	server [-addr :443] [-upgrade]
//
// With -upgrade SIGHUP starts the file at its path again, which may be a new
// version, and hands the port over to it; as a service it takes Type=notify for
// that. A service of Type=notify with FileDescriptorStoreMax=1 keeps its listener when
// it is restarted. The certificate is made at start and self-signed. The page shows the five
// capability sets of the server, as the kernel sees them.
package main

import (
	"context"
	"crypto/tls"
	"errors"
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/caps/drop"
	"github.com/lowport/lowport/examples/internal/selfsigned"
	"github.com/lowport/lowport/guard"
	"github.com/lowport/lowport/privport"
)

func main() {
	addr := flag.String("addr", ":443", "`address` to serve HTTPS on")
	upgrade := flag.Bool("upgrade", false, "start the program again on SIGHUP, without refusing a connection")
	flag.Parse()
	if flag.NArg() > 0 { // an address without its flag: another would be served
		flag.Usage()
		os.Exit(64) // EX_USAGE
	}

	var report guard.Report
	ln := guard.MustBind(*addr, guard.ReportTo(&report))
	if err := drop.All(); err != nil && !errors.Is(err, errors.ErrUnsupported) {
		log.Fatal(err)
	}

	cert, err := selfsigned.New("localhost", 24*time.Hour)
	if err != nil {
		log.Fatal(err)
	}
	conns := &busy{conns: map[net.Conn]bool{}}
	server := &http.Server{
		Handler:           http.HandlerFunc(page),
		TLSConfig:         &tls.Config{Certificates: []tls.Certificate{cert}},
		ReadHeaderTimeout: 5 * time.Second,
		ConnState:         conns.note,
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if *upgrade {
		onHangup(func() bool {
			if err := startNext(ln); err != nil {
				log.Print("upgrade: ", err) // this one goes on
				return false
			}
			stop()
			return true
		})
	}
	go func() {
		<-ctx.Done()
		ln.Close()
	}()

	if report.Via != string(privport.Inherited) {
		if err := store(ln); err != nil {
			log.Print(err)
		}
	}
	log.Printf("serving https://%s, holding no capability (%s)", ln.Addr(), report.Via)
	if err := tellReady(); err != nil {
		log.Print(err)
	}
	if err := server.ServeTLS(ln, "", ""); !errors.Is(err, net.ErrClosed) {
		log.Fatal(err)
	}
	// What was begun is finished.
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	conns.wait(ctx)
	server.Shutdown(ctx)
}

// page shows what each thread of this server holds.
func page(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	threads, err := caps.Threads(os.Getpid())
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	fmt.Fprintf(w, "uid %d, %d threads\n", os.Geteuid(), len(threads))
	same := map[caps.State]int{}
	for _, s := range threads {
		same[s]++
	}
	for s, n := range same {
		fmt.Fprintf(w, "\n%d threads, each with\n", n)
		fmt.Fprintf(w, "  inheritable %s %v\n", s.Inheritable.Hex(), s.Inheritable)
		fmt.Fprintf(w, "  permitted   %s %v\n", s.Permitted.Hex(), s.Permitted)
		fmt.Fprintf(w, "  effective   %s %v\n", s.Effective.Hex(), s.Effective)
		fmt.Fprintf(w, "  bounding    %s %v\n", s.Bounding.Hex(), s.Bounding)
		fmt.Fprintf(w, "  ambient     %s %v\n", s.Ambient.Hex(), s.Ambient)
		fmt.Fprintf(w, "  no_new_privs %t\n", s.NoNewPrivs)
	}
}
