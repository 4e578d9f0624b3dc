package audit_test

import (
	"fmt"
	"log"
	"os"

	"github.com/lowport/lowport/guard/audit"
)

// The proof that a server gave up all it held, in its own words or in a test.
func ExampleProcess() {
	r, err := audit.Process(os.Getpid())
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

// Who holds what on this machine: root is among them.
func ExampleAll() {
	found := os.Geteuid() != 0
	for r, err := range audit.All() {
		switch {
		case err != nil:
			log.Print(err) // there may be more than is seen
		case r.PID == os.Getpid(): // and r.Severity, r.Holds
			found = true
		}
	}
	fmt.Println(found)
	// Output: true
}

// A report without findings above notes is a proof; one that could not tell is
// not.
func ExampleReport_OK() {
	clean, hidden := audit.Report{Severity: "note"}, audit.Report{Severity: "unknown"}
	fmt.Println(clean.OK(), hidden.OK())
	// Output: true false
}

// The status for a check in CI or a cron job.
func ExampleReport_ExitCode() {
	for _, severity := range []string{"none", "note", "unknown", "medium", "critical"} {
		fmt.Print(audit.Report{Severity: severity}.ExitCode(), " ")
	}
	// Output: 0 0 77 1 1
}

// The text of one finding, and what ends it.
func ExampleReport_String() {
	fmt.Print(audit.Report{PID: 812, Name: "server", Severity: "medium", Findings: []audit.Finding{{
		ID: "may-gain", Severity: "medium", Summary: "programs that it starts may gain privileges",
		Allows: "gain privileges by a flaw in sudo", Helps: "NoNewPrivileges=yes in its unit",
	}}})
	// Output:
	// process 812 (server): medium
	//
	// medium (may-gain): programs that it starts may gain privileges
	// allows an attacker to: gain privileges by a flaw in sudo
	// helps: NoNewPrivileges=yes in its unit
}

// On a terminal the lines are as wide as the terminal; here they go to a pipe.
func ExampleReport_Print() {
	r := audit.Report{PID: 812, Name: "server", Severity: "none"}
	if err := r.Print(os.Stdout); err != nil {
		log.Fatal(err)
	}
	// Output: process 812 (server): nothing found
}
