package guard_test

import (
	"bytes"
	"fmt"
	"log"
	"os"

	"github.com/lowport/lowport/guard"
)

// What `doctor -record` writes: to attach to a bug report.
func ExampleRecord() {
	recording, err := guard.Record(freeAddress())
	if err != nil {
		fmt.Println(err)
		return
	}
	first, _, _ := bytes.Cut(recording, []byte("\n"))
	fmt.Printf("%s\n", first)
	// Output: # recorded by lowport; names, paths and addresses are replaced
}

// The proof that a server gave up all it held, in its own words or in a test.
func ExampleAudit() {
	r, err := guard.Audit(os.Getpid())
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, f := range r.Findings {
		if f.ID == "threads-differ" {
			fmt.Println(f.Summary)
		}
	}
	fmt.Println(r.PID == os.Getpid(), len(r.Facts) > 10)
	// Output: true true
}

// Who holds what on this machine, the worst alone.
func ExampleAuditAll() {
	for r, err := range guard.AuditAll() {
		switch {
		case err != nil:
			log.Print(err) // there may be more than is seen
		case r.Severity == "critical":
			log.Print(r.PID, " ", r.Name, " holds ", r.Holds)
		}
	}
	// Output:
}

// A report without findings above notes is a proof; one that could not tell is
// not.
func ExampleAuditReport_OK() {
	clean, hidden := guard.AuditReport{Severity: "note"}, guard.AuditReport{Severity: "unknown"}
	fmt.Println(clean.OK(), hidden.OK())
	// Output: true false
}

// The status for a check in CI or a cron job.
func ExampleAuditReport_ExitCode() {
	for _, severity := range []string{"none", "note", "unknown", "medium", "critical"} {
		fmt.Print(guard.AuditReport{Severity: severity}.ExitCode(), " ")
	}
	// Output: 0 0 77 1 1
}
