package explain

import (
	"strconv"
	"strings"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/guard/report"
	"github.com/lowport/lowport/internal/facts"
	"github.com/lowport/lowport/internal/rules"
	"github.com/lowport/lowport/internal/term"
)

// A Finding is all that is known about one refusal. Causes[0] refused; the
// rest are obstacles that it hides.
type Finding struct {
	Causes    []report.Cause
	Evidence  []report.Fact
	Unhelpful []string // tempting changes that would not help
	Explained bool     // the rules over these facts refuse too, so that they can say what helps
}

// words fills the {placeholders} of the catalogue; about is what is said to be missing.
func words(f facts.Facts, g rules.Goal, about caps.Set) *strings.Replacer {
	exe := "the program's file"
	if p, ok := f.File.Path.Is(); ok {
		exe = term.Show(p)
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
		"{addr}", term.Show(g.Addr.String()),
		"{tcp}", g.Protocol(),
		"{ss}", map[string]string{"tcp": "ss -ltnp", "udp": "ss -lunp"}[g.Protocol()],
		"{stream}", map[string]string{"tcp": "stream", "udp": "dgram"}[g.Protocol()],
	)
}
