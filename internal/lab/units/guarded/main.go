// Guarded binds its address by the guard, prints what the guard reports as JSON, and exits
// with the status of package status.
package main

import (
	"encoding/json"
	"errors"
	"os"

	"github.com/lowport/lowport/guard"
	"github.com/lowport/lowport/internal/lab/units/status"
)

func main() {
	var r guard.Report
	ln, err := guard.Bind(os.Args[len(os.Args)-1], guard.ReportTo(&r))
	if ln != nil {
		ln.Close()
	}
	_ = json.NewEncoder(os.Stdout).Encode(r)
	switch {
	case err != nil:
		os.Exit(of(err))
	case r.Via == "inherited":
		os.Exit(status.Inherited)
	}
	os.Exit(status.Bound)
}

func of(err error) int {
	var refused *guard.Error
	if errors.As(err, &refused) {
		err = errors.Unwrap(refused)
	}
	return status.Of(err)
}
