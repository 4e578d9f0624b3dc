// Doctor says whether this machine lets a program like it bind, and if not, why
// and what would help:
//
//	doctor [-v] [-json] [-authbind] [-require cap,…] [-replay FILE] [ADDRESS…]
//	doctor -binary PATH [-user USER] [-guard yes|no] [-v] [-json] [-require cap,…] [ADDRESS…]
//	doctor -unit FILE [-binary PATH] [-guard yes|no] [-v] [-json] [-require cap,…] [ADDRESS…]
//	doctor -record ADDRESS
//	doctor -audit [-pid N] [-json]
//
// An address is of TCP, ":443", or names its network, "udp/:53". Each is bound
// and closed again. Where all is well doctor prints nothing and exits with 0;
// otherwise it prints the reports and exits with 77 for a permission, 69 for an
// address that cannot be had, 64 for a malformed one; of several the first of 64, 77
// and 69 that one of them has.
//
// With -v it shows of each address, refused or not, the five sets of the thread
// that asks and the gates of the decision: see docs/decision.svg.
//
// With -binary or -unit it listens on nothing, and predicts for a program that does not
// run yet: one that is started from here, perhaps as another user, or by systemd. If it
// could not even be started, since a file is missing or not executable, the status is 64.
// Whether the program raises capabilities and takes sockets of systemd, as the guard does,
// its file shows; -guard says otherwise. A unit of a template needs an instance:
// -unit /etc/systemd/system/app@1.service.
//
// With -record it prints the evidence instead, with nothing personal in it, to
// attach to a bug report; -replay reads such a file and prints what would have
// been printed there.
//
// With -audit it says what running processes could do in an attacker's hands: the
// one with the id N, or all that hold a capability or listen on a low port, with
// -json one object a line. It exits with 0 if there were notes at most, 1 if more
// was found, 77 if nothing was but something could not be read, 69 if there is no
// such process.
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/guard"
	"github.com/lowport/lowport/guard/preflight"
	"github.com/lowport/lowport/internal/term"
)

const usage = `usage: doctor [-v] [-json] [-authbind] [-require cap,…] [-replay FILE] [ADDRESS…]
       doctor -binary PATH [-user USER] [-guard yes|no] [-v] [-json] [-require cap,…] [ADDRESS…]
       doctor -unit FILE [-binary PATH] [-guard yes|no] [-v] [-json] [-require cap,…] [ADDRESS…]
       doctor -record ADDRESS
       doctor -audit [-pid N] [-json]

An ADDRESS is :443, HOST:443 or udp/:53. Exit status: 0 all is well, 77 no
permission, 69 the address cannot be had, 64 wrong usage or no such program.
With -audit: 0 notes at most, 1 more, 77 not all could be read, 69 no such process.

`

func main() {
	asJSON := flag.Bool("json", false, "print the reports as JSON: one object, or an array for several")
	authbind := flag.Bool("authbind", false, "let authbind's helper bind what would otherwise be refused")
	var need caps.Set
	flag.Var(&need, "require", "also require these `capabilities`, separated by commas")
	recording := flag.Bool("record", false, "print the evidence about one address, with nothing personal in it")
	replay := flag.String("replay", "", "ask the machine recorded in `file` instead of this one")
	verbose := flag.Bool("v", false, "also show the five sets, and the gates of each decision")
	how := launchFlags()
	flag.Usage = func() {
		fmt.Fprint(flag.CommandLine.Output(), usage)
		flag.PrintDefaults()
	}
	flag.CommandLine.Init("doctor", flag.ContinueOnError)
	switch err := flag.CommandLine.Parse(os.Args[1:]); {
	case errors.Is(err, flag.ErrHelp):
		os.Exit(0)
	case err != nil:
		os.Exit(64)
	}
	if *auditing {
		os.Exit(auditCommand(*asJSON))
	}
	if given("pid") {
		fmt.Fprintln(os.Stderr, "doctor: -pid needs -audit")
		os.Exit(64)
	}
	if need == 0 && flag.NArg() == 0 {
		flag.Usage()
		os.Exit(64)
	}
	if *how != (preflight.Launch{}) && (*recording || *replay != "" || *authbind) {
		fmt.Fprintln(os.Stderr, "doctor: -binary, -user and -unit exclude -record, -replay and -authbind")
		os.Exit(64)
	}
	if *recording {
		os.Exit(record(flag.Args()))
	}
	machine, err := here, error(nil)
	if *replay != "" {
		if machine, err = recorded(*replay); err != nil {
			fmt.Fprintln(os.Stderr, "doctor:", err)
			os.Exit(66) // EX_NOINPUT
		}
	}
	if *how != (preflight.Launch{}) {
		machine = predicted(*how)
	}

	var reports []guard.Report
	code := 0
	failed := func(err error) {
		var refused *guard.Error
		switch {
		case err == nil:
		case !errors.As(err, &refused):
			fmt.Fprintln(os.Stderr, "doctor:", err)
			os.Exit(69)
		default:
			code = worst(code, refused.ExitCode())
		}
	}
	if need != 0 {
		var r guard.Report
		failed(machine.require(&r, need))
		reports = append(reports, r)
	}
	for _, address := range flag.Args() {
		var r guard.Report
		var opts []guard.Option
		if *authbind {
			opts = append(opts, guard.Authbind())
		}
		failed(machine.bind(address, &r, opts...))
		if *verbose && r.OK && len(r.Gates) == 0 {
			failed(gates(address, &r))
		}
		reports = append(reports, r)
	}

	if all := flag.Args(); *how != (preflight.Launch{}) && len(all) > 1 && need == 0 && !*asJSON {
		reports = together(*how, all)
	}
	if err := show(reports, *asJSON, *verbose); err != nil {
		fmt.Fprintln(os.Stderr, "doctor:", err)
		os.Exit(74) // EX_IOERR
	}
	os.Exit(code)
}

// worst is the exit status that says more: 64, nothing is started or asked; 77, a
// permission; 69, an address that cannot be had; 0.
func worst(a, b int) int {
	for _, code := range []int{64, 77, 69} {
		if a == code || b == code {
			return code
		}
	}
	return max(a, b)
}

// show prints the reports; as text, unless all is wanted, those of failures and
// surprises alone.
func show(reports []guard.Report, asJSON, verbose bool) error {
	if asJSON {
		enc := json.NewEncoder(os.Stdout)
		enc.SetEscapeHTML(false)
		enc.SetIndent("", " ")
		if len(reports) == 1 {
			return enc.Encode(reports[0])
		}
		return enc.Encode(reports)
	}
	for i, r := range shown(reports, verbose) {
		if i > 0 {
			fmt.Println()
		}
		if err := r.Print(os.Stdout); err != nil {
			return err
		}
		if verbose && len(r.Gates) > 0 {
			if _, err := fmt.Print("\n" + table(r, term.Of(os.Stdout))); err != nil {
				return err
			}
		}
	}
	return nil
}

// shown are the reports worth a line: all if that is asked for, otherwise those of
// failures and surprises.
func shown(reports []guard.Report, all bool) []guard.Report {
	return slices.DeleteFunc(slices.Clone(reports), func(r guard.Report) bool { return r.OK && len(r.Notes) == 0 && !all })
}
