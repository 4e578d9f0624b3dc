// Unit writes hardened systemd units for a server on a low port:
//
//	unit -exec "/opt/myserver/myserver --addr :443" -user appuser
//	unit -exec "/opt/myserver/myserver --addr :443" -socket -write /var/lib/myserver
//	unit -drop-in myserver -socket -listen :443
//
// The first gives the server one capability, the second none and no network but
// the port, the third hardens a unit that exists. They are printed, or with
// -dir written into a folder, or with -install written to /etc/systemd/system,
// verified, enabled and started. -remove takes away what -install wrote. What the
// hardening asks of the server is printed to standard error.
//
// It exits with 64 where the command line describes no unit that could work.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"

	"github.com/lowport/lowport/guard/unit"
)

func main() {
	o, err := parse(os.Args[1:])
	switch {
	case errors.Is(err, flag.ErrHelp):
		return
	case err != nil:
		fail(64, err)
	}
	if o.remove != "" {
		if err := remove(o.remove); err != nil {
			fail(73, err)
		}
		return
	}
	files, err := o.files()
	if err != nil {
		fail(64, err)
	}
	switch {
	case o.install:
		err = install(files, o.start(), o.dropIn)
	case o.dir != "":
		err = write(o.dir, files)
	default:
		err = print(files)
	}
	if err != nil {
		fail(73, err) // EX_CANTCREAT
	}
	for _, note := range o.service.Notes() {
		fmt.Fprintln(os.Stderr, "note:", flagNames.Replace(note))
	}
}

// flagNames puts the names of flags for those of fields.
var flagNames = strings.NewReplacer("JIT lifts", "-jit lifts", "Outbound lifts", "-outbound lifts")

func fail(code int, err error) {
	fmt.Fprintln(os.Stderr, "unit:", strings.TrimPrefix(err.Error(), "unit: "))
	os.Exit(code)
}

// print shows one file as it is, and of several the names as comments.
func print(files []unit.File) error {
	for i, f := range files {
		if len(files) > 1 {
			if i > 0 {
				fmt.Println()
			}
			fmt.Println("# /etc/systemd/system/" + f.Name)
		}
		if _, err := fmt.Print(f.Content); err != nil {
			return err
		}
	}
	return nil
}
