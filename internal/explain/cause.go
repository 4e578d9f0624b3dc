package explain

import (
	"strconv"
	"strings"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/internal/facts"
	"github.com/lowport/lowport/internal/rules"
)

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

// A Finding is all that is known about one refusal. Causes[0] refused; the
// rest are obstacles that it hides.
type Finding struct {
	Causes    []Cause
	Evidence  []Evidence
	Unhelpful []string // tempting changes that would not help
	Explained bool     // the rules over these facts refuse too, so that they can say what helps
}

// words fills the {placeholders} of the catalogue; about is what is said to be missing.
func words(f facts.Facts, g rules.Goal, about caps.Set) *strings.Replacer {
	exe := "the program's file"
	if p, ok := f.File.Path.Is(); ok {
		exe = Show(p)
	}
	where := "the file"
	if u, ok := f.Launcher.Unit.Is(); ok {
		where = u.Name
	}
	return strings.NewReplacer(
		"{cap}", about.String(),
		"{exe}", exe,
		"{unit}", where,
		"{port}", strconv.Itoa(g.Port),
		"{start}", strconv.Itoa(f.Net.PortStart.Value),
		"{addr}", Show(g.Addr.String()),
		"{tcp}", g.Protocol(),
		"{ss}", map[string]string{"tcp": "ss -ltnp", "udp": "ss -lunp"}[g.Protocol()],
		"{stream}", map[string]string{"tcp": "stream", "udp": "dgram"}[g.Protocol()],
	)
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
