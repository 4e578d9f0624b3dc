package audit

import (
	"fmt"
	"strings"

	"github.com/lowport/lowport/caps"

	"github.com/lowport/lowport/internal/explain"
)

// Markdown returns docs/audit.md: a section for each finding, of the same data
// that the reports are made of.
func Markdown() string {
	var b strings.Builder
	b.WriteString(`# What an audit finds

` + "`go run ./examples/doctor -audit -pid N`" + ` and guard.Audit say what a running process
could do if an attacker had it, as the kernel sees it: each finding by the id
below, with its evidence, what it allows, and the fix.

"critical" is root for whoever comes by the process over the network or by its
file, "high" root for whoever has the process, "medium" more than it needs,
"unknown" that something could not be read, so that it may be anything, and
"note" worth knowing. The exit status is 0 where there are notes at most, 1
where there is more, 77 where there is no more but something unknown, and 69
where there is no such process.

An audit does not see what the process has open beside TCP and UDP sockets of its
own network namespace and the reader's, such as files and raw sockets from before a
drop, nor what a thread has open for itself alone (CLONE_FILES), nor who may change the
script that an interpreter runs or the libraries that a program loads, nor the rules of
a security module, nor what its children are.

This file is generated from the catalogue that the reports are made of.

`)
	for _, id := range sections {
		e := catalogue[id]
		fmt.Fprintf(&b, "## %s\n\n", id)
		explain.Paragraph(&b, "Severity: "+e.severities+".")
		explain.Paragraph(&b, strings.ToUpper(e.means[:1])+e.means[1:]+".")
		if e.allows != "" {
			explain.Paragraph(&b, "It allows an attacker to: "+e.allows+".")
		}
		b.WriteString("By hand:\n\n```\n" + e.see + "\n```\n\n")
		explain.Paragraph(&b, "What helps: "+e.helps+".")
	}
	b.WriteString("## What capabilities allow\n\n")
	for c := range caps.UpTo(caps.Last).All() {
		root := ""
		if powers[c].root {
			root = " (amounts to root)"
		}
		fmt.Fprintf(&b, "- %v%s: %s\n", c, root, powers[c].allows)
	}
	b.WriteString("\n## Files that amount to root\n\n")
	for _, d := range doors {
		fmt.Fprintf(&b, "- to %s %s: %s\n", verb(d), d.Path, d.Allows)
	}
	fmt.Fprintf(&b, "- to read a disk in /dev: %s\n", diskAllows)
	return b.String()
}

// sections are the ids of the catalogue, the worst first.
var sections = []string{
	"root", "root-capability", "interpreter-capabilities", "writable-executable", "threads-differ", "file-capabilities", "way-to-root",
	"other-capability", "may-gain", "extra-listener", "set-id-executable", "replaced-executable",
	"could-not-tell", "port-capability", "passed-on", "no-seccomp", "user-namespace", "securebits",
}
