// Load asks a server over HTTPS without a pause, each time over a new
// connection, from several clients at once:
//
//	load URL FILE
//
// It makes FILE once it has an answer, and counts from then on. At SIGTERM it
// prints how often it asked, and fails if one answer is missing.
package main

import (
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"sync"
	"sync/atomic"
	"syscall"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: load URL FILE")
		os.Exit(64)
	}
	ended := make(chan os.Signal, 1)
	signal.Notify(ended, syscall.SIGTERM)
	client := &http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		TLSClientConfig:   &tls.Config{InsecureSkipVerify: true},
	}}
	var stop atomic.Bool
	var good, bad atomic.Int64
	var clients sync.WaitGroup
	for range 4 {
		clients.Go(func() {
			for !stop.Load() {
				counting := good.Load() > 0 // an answer came before this question
				err := ask(client, os.Args[1])
				if err != nil && counting {
					bad.Add(1)
					fmt.Println(err)
				} else if err == nil && good.Add(1) == 1 {
					if err := os.WriteFile(os.Args[2], nil, 0o644); err != nil {
						panic(err)
					}
				}
			}
		})
	}
	<-ended
	stop.Store(true)
	clients.Wait()
	fmt.Printf("%d answers, %d missing\n", good.Load(), bad.Load())
	if bad.Load() > 0 {
		os.Exit(1)
	}
}

func ask(client *http.Client, url string) error {
	r, err := client.Get(url)
	if err != nil {
		return err
	}
	defer r.Body.Close()
	_, err = io.Copy(io.Discard, r.Body)
	return err
}
