package audit

import (
	"fmt"
	"strings"

	"github.com/lowport/lowport/caps"

	"github.com/lowport/lowport/internal/kernel"
)

// Markdown returns docs/audit.md: a section for each finding, of the same data
// that the reports are made of.
func Markdown() string {
	var b strings.Builder
	b.WriteString(`# What an audit finds

` + "`doctor -audit -pid N`" + `, of examples/doctor, and guard/audit say what a running
process could do in an attacker's hands, as the kernel sees it: each finding by the
id below, with its evidence, what it allows, and the fix.

"critical" means root for whoever takes the process over through the network or
its file, "high" root for whoever has taken it over, "medium" more than it needs,
"unknown" that something could not be read, so it may be anything, and "note"
worth knowing. The exit status is 0 if there are notes at most, 1 if there is
more, 77 if nothing else was found but something could not be read, and 69 if
there is no such process.

Of what the process has open, an audit sees the TCP and UDP sockets of its own network
namespace and the reader's, and the files below that amount to root: no raw sockets from
before a drop, and no connections to a daemon of root's. Nor does it see what a thread
alone has open (CLONE_FILES), what the rules of sudo and polkit let the process do, what
the units name that root would start next, the rules of a security module,
the keys of the machine itself, the terminals that it may open but has not, or the process's
children. Of what root runs it sees the processes that the reader's /proc shows:
their programs, libraries and scripts, not what those load from elsewhere than below, nor
their settings beyond the files below. The folders that an overlay is made of are other files.

This file is generated from the catalogue that the reports are made of.

`)
	for _, id := range sections {
		e := catalogue[id]
		fmt.Fprintf(&b, "## %s\n\n", id)
		kernel.Paragraph(&b, "Severity: "+e.severities+".")
		kernel.Paragraph(&b, strings.ToUpper(e.means[:1])+e.means[1:]+".")
		if e.allows != "" {
			kernel.Paragraph(&b, "It allows an attacker to: "+e.allows+".")
		}
		b.WriteString("By hand:\n\n```\n" + e.see + "\n```\n\n")
		kernel.Paragraph(&b, "What helps: "+e.helps+".")
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
	for _, d := range doorFolders {
		fmt.Fprintf(&b, "- to put a file into %s, or write one there: %s\n", d.Path, d.Allows)
	}
	for _, t := range trees {
		fmt.Fprintf(&b, "- to put a file anywhere below %s, or write one there: %s\n", t, treeAllows)
	}
	b.WriteString("- the same of the folders that /etc/ld.so.conf and /etc/ld.so.cache name, and of PAM modules named by their paths\n")
	b.WriteString("- to read a private key in /root/.ssh: log in wherever root's key does\n")
	return b.String()
}

// sections are the ids of the catalogue, the worst first.
var sections = []string{
	"root", "root-capability", "interpreter-capabilities", "writable-executable", "threads-differ", "file-capabilities", "way-to-root", "open-door", "shared-terminal",
	"other-capability", "mapped-ids", "may-gain", "extra-listener", "set-id-executable", "replaced-executable",
	"could-not-tell", "port-capability", "passed-on", "no-seccomp", "user-namespace", "securebits",
}
