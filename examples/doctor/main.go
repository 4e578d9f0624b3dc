// Doctor says why a program may not bind a low port, and what would help:
//
//	doctor :443 udp/:53              does this machine let me bind?
//	doctor -pid N :443               would it let process N, in any language, bind?
//	doctor -binary PATH :443         will it let this program, before it is started?
//	doctor -unit FILE :443           will it let this systemd service?
//	doctor -record :443              print the evidence for a bug report
//	doctor -replay FILE :443         read such evidence anywhere
//	doctor -audit [-pid N]           what could running processes do in an attacker's hands?
//	doctor -explain ID               what does this cause or finding mean?
//	doctor -decode TEXT              which capabilities are these, in every notation?
//
// Install it with
//
//	go install github.com/lowport/lowport/examples/doctor@latest
//
// An address is of TCP, ":443" or "HOST:443", or names its network, "udp/:53". Where all is
// well the doctor prints nothing and exits with 0; otherwise it prints one report for all
// addresses. Each is bound and closed again, but with -pid, -binary, -unit and -replay
// nothing is bound: they predict.
//
// With -v it shows of each address, refused or not, the five sets of the thread
// that asks and the gates of the decision: see docs/decision.svg.
//
// -pid reads a running process from outside, as far as the caller may: root may read all
// that counts. What a security policy would answer cannot be seen from outside.
//
// -binary and -unit are for a program that does not run yet: one that is started from here,
// perhaps as another user, or by systemd. Whether the program raises capabilities and takes
// sockets of systemd, as the guard does, its file shows; -guard says otherwise.
//
// -audit is for one process, or for all that hold a capability or listen on a low port, with
// -json one object a line. -allow names a file of expected holders: each line has a unit, or
// the path of a program, and the ids of the findings that are expected of it, or "*".
// -baseline prints what is found now in that form. So a healthy machine exits with 0:
//
//	doctor -audit -baseline >/etc/lowport.allow
//	doctor -audit -allow /etc/lowport.allow
//
// # Exit status
//
//	0   all is well; with -audit, nothing at or above -fail was found
//	1   with -audit, something at or above -fail was found
//	64  the command line or an address is wrong, a file is no recording, or the
//	    program could not even be started, or would be ended at once
//	66  a file cannot be read
//	69  the address cannot be had, or there is no such process
//	74  the output cannot be written
//	77  permission is refused; with -audit, not everything could be read
//
// Of several addresses the status is the first of 64, 77 and 69 that one of them has, or
// that all of them together have. -json prints one report more if each alone can be had and
// not all of them, as of an address that is named twice.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
)

// The statuses of sysexits(3), beside those that reports have.
const (
	usageError  = 64 // EX_USAGE
	noInput     = 66 // EX_NOINPUT
	unavailable = 69 // EX_UNAVAILABLE
	ioError     = 74 // EX_IOERR
)

func main() { os.Exit(run(os.Args[1:])) }

// run does what the command line asks for, and returns the exit status.
func run(args []string) int {
	c, err := parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return printed(c.help(os.Stdout), 0)
	case err != nil:
		return failed(usageError, err)
	}
	return c.mode.run(c)
}

// failed prints one line about an error.
func failed(code int, err error) int {
	fmt.Fprintln(os.Stderr, "doctor:", err)
	return code
}

// printed is the status after output, which may have failed.
func printed(err error, code int) int {
	if err != nil {
		return failed(ioError, err)
	}
	return code
}
