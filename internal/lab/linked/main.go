//go:build linux

// Linked is a server that needs a library, libweb.so, which its loader looks for where
// $LD_LIBRARY_PATH says and in the folder lib beside it: linked [-json] ADDRESS.
package main

import (
	"github.com/lowport/lowport/guard"
	"github.com/lowport/lowport/internal/lab/standin"
)

// Nothing of the library is called: without a C runtime, Go could not.
//
//go:cgo_import_dynamic _ _ "libweb.so"

func main() {
	asJSON, args := standin.Args("linked [-json] ADDRESS", func(args []string) bool { return len(args) == 1 })
	var r guard.Report
	_, err := guard.Bind(args[0], guard.ReportTo(&r))
	standin.End(asJSON, r, err)
}
