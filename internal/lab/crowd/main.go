//go:build linux

// Crowd fills a sandbox: crowd mounts N FOLDER mounts it N times, crowd sockets
// N FILE opens N listeners, makes the file and keeps them until it is ended.
package main

import (
	"fmt"
	"net"
	"os"
	"os/signal"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

func main() {
	if len(os.Args) != 4 {
		fmt.Fprintln(os.Stderr, "usage: crowd mounts|sockets N FILE")
		os.Exit(64)
	}
	n, err := strconv.Atoi(os.Args[2])
	if err == nil {
		if os.Args[1] == "mounts" {
			err = mounts(n, os.Args[3])
		} else {
			err = sockets(n, os.Args[3])
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "crowd:", err)
		os.Exit(1)
	}
}

func mounts(n int, dir string) error {
	for i := range n {
		at := fmt.Sprintf("%s/%d", dir, i)
		if err := os.MkdirAll(at, 0o755); err != nil {
			return err
		}
		if err := unix.Mount("none", at, "tmpfs", 0, "size=4k"); err != nil {
			return err
		}
	}
	return nil
}

func sockets(n int, ready string) error {
	ended := make(chan os.Signal, 1)
	signal.Notify(ended, syscall.SIGTERM)
	for i := range n {
		ln, err := net.Listen("tcp4", fmt.Sprintf("127.0.%d.%d:8443", 1+i/200, 1+i%200))
		if err != nil {
			return err
		}
		defer ln.Close()
	}
	if err := os.WriteFile(ready, nil, 0o644); err != nil {
		return err
	}
	<-ended
	return nil
}
