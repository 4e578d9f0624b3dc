package privport_test

import (
	"context"
	"errors"
	"io"
	"log"
	"net"
	"os"
	"os/exec"

	"github.com/lowport/lowport/privport"
)

// A server starts its next version with its listener. Both serve until the old
// one stops accepting, so that no connection is refused.
func ExampleHandOver() {
	ln, _, err := privport.Listen(context.Background(), "tcp", free())
	if err != nil {
		log.Fatal(err)
	}
	cmd := nextVersion(ln.Addr().String()) // exec.Command("/srv/server", os.Args[1:]...)
	done, err := privport.HandOver(cmd, ln)
	if err != nil {
		log.Fatal(err)
	}
	err = cmd.Start()
	done()
	if err != nil {
		log.Fatal(err)
	}
	// Once it says that it serves:
	ln.Close()

	conn, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		log.Fatal(err)
	}
	io.Copy(os.Stdout, conn)
	cmd.Wait()
	// Output: served by the next version
}

// nextVersion is this very program, which serves one connection then.
func nextVersion(address string) *exec.Cmd {
	exe, err := os.Executable()
	if err != nil {
		log.Fatal(err)
	}
	cmd := exec.Command(exe, address)
	cmd.Env = append(os.Environ(), childEnv+"=next version")
	return cmd
}

func init() {
	children["next version"] = func() error {
		ln, _, err := privport.Listen(context.Background(), "tcp", os.Args[1])
		if err != nil {
			return err
		}
		conn, err := ln.Accept()
		if err != nil {
			return err
		}
		_, err = io.WriteString(conn, "served by the next version\n")
		return errors.Join(err, conn.Close())
	}
}
