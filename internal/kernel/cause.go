package kernel

import "strconv"

// A Certainty says how far the evidence goes.
type Certainty string

const (
	Proven   Certainty = "proven"   // the evidence excludes every other cause
	Likely   Certainty = "likely"   // the evidence fits, and something could not be read
	Possible Certainty = "possible" // nothing speaks against it
)

// A Cause is one obstacle.
type Cause struct {
	ID        string
	Certainty Certainty
	Summary   string // what is wrong, in one line
	Detail    string // the rule of the kernel behind it
}

// Evidence is one fact that was looked at.
type Evidence struct {
	Name, Value string
	Source      string // where to see it by hand
	State       string // "known", "absent" or "unreadable"
	Says        string // what it means here, in one line; "" for nothing out of the ordinary
}

// Show makes a string from the machine fit to print: as it is where every
// character is printable, else quoted with escapes, so that no path or name can
// reach the terminal with a control byte.
func Show(s string) string {
	for _, c := range s {
		if !strconv.IsPrint(c) || c == '\uFFFD' {
			return strconv.Quote(s)
		}
	}
	return s
}
