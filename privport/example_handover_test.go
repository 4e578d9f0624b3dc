package privport_test

import (
	"context"
	"log"
	"os"
	"os/exec"

	"github.com/lowport/lowport/privport"
)

// A server starts its next version with its listener. Both serve until the old
// one stops accepting, so that no connection is refused.
func ExampleHandOver() {
	ln, _, err := privport.Listen(context.Background(), "tcp", ":443")
	if err != nil {
		log.Fatal(err)
	}
	cmd := exec.Command("/srv/server", os.Args[1:]...)
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
}
