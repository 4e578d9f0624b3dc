// Smtp is a mail server of go-smtp that logs what it gets.
package main

import (
	"context" // new
	"io"
	"log"

	"github.com/emersion/go-smtp"

	"github.com/lowport/lowport/caps/drop" // new
	"github.com/lowport/lowport/guard"     // new
)

func main() {
	s := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return session{}, nil }))
	s.Domain, s.Addr = "server.test", ":25"
	ln, err := guard.Listen(context.Background(), "tcp", s.Addr) // new
	if err != nil {                                              // new
		log.Fatal(err) // new
	} // new
	if err := drop.All(); err != nil { // new
		log.Fatal(err) // new
	} // new
	log.Fatal(s.Serve(ln)) // was: log.Fatal(s.ListenAndServe())
}

type session struct{}

func (session) Reset()                                      {}
func (session) Logout() error                               { return nil }
func (session) Mail(from string, _ *smtp.MailOptions) error { log.Print("from ", from); return nil }
func (session) Rcpt(to string, _ *smtp.RcptOptions) error   { log.Print("to ", to); return nil }
func (session) Data(r io.Reader) error                      { _, err := io.Copy(io.Discard, r); return err }
