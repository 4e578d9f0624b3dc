// Listener binds an address, writes down how that went, and answers who connects:
//
//	listener [-with net|guard|authbind] [-say FILE] ADDRESS
//	listener -ask ADDRESS
//
// Into FILE goes one line: "bound", "refused" where the kernel did not let it, or
// "failed", the user id, what any thread has permitted,
// and whether no_new_privs is set. With -ask it connects, and succeeds if it is answered.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"log"
	"net"
	"os"
	"syscall"
	"time"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/guard"
)

func main() {
	with := flag.String("with", "net", "how it binds: net, guard or authbind")
	say := flag.String("say", "", "`file` to write into")
	asks := flag.Bool("ask", false, "connect instead")
	flag.Parse()
	if *asks {
		if err := ask(flag.Arg(0)); err != nil {
			log.Fatal(err)
		}
		return
	}
	var ln net.Listener
	var err error
	switch *with {
	case "net":
		ln, err = net.Listen("tcp", flag.Arg(0))
	case "guard":
		ln, err = guard.Bind(flag.Arg(0))
	case "authbind":
		ln, err = guard.Bind(flag.Arg(0), guard.Authbind())
	default:
		log.Fatalf("-with %s", *with)
	}
	how := "bound"
	switch {
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EAFNOSUPPORT):
		how = "refused"
	case err != nil:
		log.Print(err)
		how = "failed"
	}
	if err := write(*say, how); err != nil {
		log.Fatal(err)
	}
	if ln == nil {
		os.Exit(77)
	}
	for {
		c, err := ln.Accept()
		if err != nil {
			log.Fatal(err)
		}
		_, _ = io.WriteString(c, "hello\n")
		_ = c.Close()
	}
}

// write writes the line whole: who reads it must not see half of it.
func write(file, how string) error {
	threads, err := caps.Threads(os.Getpid())
	if err != nil {
		return err
	}
	var permitted caps.Set
	noNewPrivs := 0
	for _, t := range threads {
		permitted |= t.Permitted
		if t.NoNewPrivs {
			noNewPrivs = 1
		}
	}
	line := fmt.Sprintf("%s %d %s %d\n", how, os.Getuid(), permitted.Hex(), noNewPrivs)
	if err := os.WriteFile(file+".new", []byte(line), 0o644); err != nil {
		return err
	}
	return os.Rename(file+".new", file)
}

func ask(address string) error {
	c, err := net.DialTimeout("tcp", address, time.Minute)
	if err != nil {
		return err
	}
	defer c.Close()
	answer, err := io.ReadAll(c)
	if err == nil && string(answer) != "hello\n" {
		err = fmt.Errorf("it says %q", answer)
	}
	return err
}
