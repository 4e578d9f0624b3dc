// Package audit says what a running process could do in an attacker's hands, as the
// kernel sees it, and what ends that: [Process] of one process, [All] of all that hold
// something. docs/audit.md has every finding.
//
//	r, err := audit.Process(os.Getpid())
//	fmt.Print(r)
//
// A server does not import it: it is for who deploys one, and examples/doctor prints what
// it finds.
package audit
