// Ssh is an SSH server of gliderlabs/ssh that greets and hangs up.
package main

import (
	"io"
	"log"

	"github.com/gliderlabs/ssh"

	"github.com/lowport/lowport/caps/drop" // new
	"github.com/lowport/lowport/guard"     // new
)

func main() {
	greet := func(s ssh.Session) { io.WriteString(s, "hello\n") }
	ln := guard.MustBind(":22")        // new
	if err := drop.All(); err != nil { // new
		log.Fatal(err) // new
	} // new
	log.Fatal(ssh.Serve(ln, greet)) // was: log.Fatal(ssh.ListenAndServe(":22", greet))
}
