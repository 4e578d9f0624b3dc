// Filecaps shows and changes the capabilities of files. It is getcap and setcap
// of libcap in one program without C:
//
//	filecaps getcap [-n] [-r] [-v] FILE…
//	filecaps setcap [-f] [-q] [-v] [-n ROOTID] (-r|-|CAPS) FILE [(-r|-|CAPS) FILE …]
//	filecaps verify [-from FILE | -was NOTE] CAPS FILE
//	filecaps note FILE
//
// Called by the name getcap or setcap it is that one. What it prints about files
// on standard output, and its exit status, are theirs. It differs where theirs
// mislead: setcap refuses files that had better not have capabilities, such as a
// script or one that others may write, and says what to do instead (-f does it
// anyway); setcap -v fails for a file that it cannot read; getcap -r stays off
// /proc and its like, and tells which folders it could not read.
//
// Verify is for the end of a build: it exits with 1 if a file does not have the
// capabilities that it should, and says which step lost them (a new build, a
// copy, chown, an archive, a write in place, an overlay, a filesystem without
// attributes) as far as the evidence shows it, or that it cannot tell. The
// evidence is best if verify can compare with the file as it was stamped: by
// -from, or by -was and what note printed right after setcap.
package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
)

const usage = `usage: filecaps getcap [-n] [-r] [-v] FILE…
       filecaps setcap [-f] [-q] [-v] [-n ROOTID] (-r|-|CAPS) FILE [(-r|-|CAPS) FILE …]
       filecaps verify [-from FILE | -was NOTE] CAPS FILE
       filecaps note FILE

getcap  prints the capabilities of files
  -n  with the root id of the user namespace they are for
  -r  of all files below folders
  -v  also names files without any
setcap  gives files the capabilities CAPS, in the form of cap_text(3)
  -r  removes them
  -   reads CAPS from standard input, up to an empty line
  -n  for the user namespace whose root is ROOTID
  -v  compares instead
  -q  quietly
  -f  even files that had better have none
verify  fails for a file that does not have CAPS, and says which step lost them
  -from  compares with a file that it was made from
  -was   compares with what note printed about the file when it had them
note    prints a description of a file that has capabilities
`

func main() {
	name, args := filepath.Base(os.Args[0]), os.Args[1:]
	if name != "getcap" && name != "setcap" && len(args) > 0 {
		name, args = args[0], args[1:]
	}
	std := stdio{os.Stdin, os.Stdout, os.Stderr}
	switch name {
	case "getcap":
		os.Exit(std.getcap(args))
	case "setcap":
		os.Exit(std.setcap(args))
	case "verify":
		os.Exit(std.verify(args))
	case "note":
		os.Exit(std.note(args))
	case "-h", "help":
		fmt.Print(usage)
	default:
		os.Exit(std.usage())
	}
}

// stdio is what the commands read from and print to.
type stdio struct {
	in       io.Reader
	out, err io.Writer
}

func (std stdio) usage() int {
	fmt.Fprint(std.err, usage)
	return 1
}
