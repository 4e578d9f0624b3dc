// Package standin is what programs share that stand in for examples/doctor in a
// scenario: the command line "[-json] …", and the end.
package standin

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"github.com/lowport/lowport/guard"
)

// Args are the program's arguments without -json, and whether that was among them.
// Where fit says that they are not what it takes, the program ends.
func Args(usage string, fit func(args []string) bool) (asJSON bool, args []string) {
	args = os.Args[1:]
	if asJSON = len(args) > 0 && args[0] == "-json"; asJSON {
		args = args[1:]
	}
	if !fit(args) {
		fmt.Fprintln(os.Stderr, "usage:", usage)
		os.Exit(64)
	}
	return asJSON, args
}

// End prints the report of a refusal, as JSON any report, and ends the program with
// the status that the error stands for.
func End(asJSON bool, r guard.Report, err error) {
	code := 0
	var refused *guard.Error
	switch {
	case errors.As(err, &refused):
		code, r = refused.ExitCode(), refused.Report
	case err != nil:
		Fail(err)
	}
	var errPrint error
	switch {
	case asJSON:
		errPrint = json.NewEncoder(os.Stdout).Encode(r)
	case code != 0:
		_, errPrint = fmt.Print(r)
	}
	if errPrint != nil {
		os.Exit(74)
	}
	os.Exit(code)
}

// Fail ends the program with an error that is none of the guard's.
func Fail(err error) {
	fmt.Fprintf(os.Stderr, "%s: %v\n", os.Args[0], err)
	os.Exit(1)
}
