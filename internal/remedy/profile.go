package remedy

import (
	"slices"
	"strings"

	"github.com/lowport/lowport/guard/report"
	"github.com/lowport/lowport/internal/facts"
	"github.com/lowport/lowport/internal/rules"
	"github.com/lowport/lowport/internal/term"
)

// profile adds to the AppArmor profile what it lacks. Which file it is in, its
// name does not say: the parser takes the folder.
func profile(f facts.Facts, g rules.Goal) (candidate, bool) {
	const dir = "/etc/apparmor.d"
	name, ok := rules.Profile(f)
	lines := rules.ProfileRules(f, g)
	if !ok || len(lines) == 0 {
		return candidate{}, false
	}
	return candidate{
		Fix: report.Fix{ID: "profile", Scope: "file", Summary: "in the AppArmor profile", Lasts: "as long as the profile says so", Steps: []report.Step{
			{Edit: "the profile " + term.Show(name) + " in " + dir, Content: strings.Join(lines, "\n") + "\n"},
			{Run: sudo(f, "apparmor_parser", "-r", dir)},
		}},
		change: func(f facts.Facts) facts.Facts {
			f.Policy.Withheld = f.Policy.Withheld.Now(f.Policy.Withheld.Value &^ g.Need())
			f.Policy.Granted = f.Policy.Granted.Now(f.Policy.Granted.Value | g.Need())
			probes := slices.Clone(f.Policy.Probes.Value)
			for i := range probes {
				if probes[i].Refused() { // a family that the kernel lacks it still lacks
					probes[i].Errno = ""
				}
			}
			if f.Policy.Probes.State == facts.Known {
				f.Policy.Probes = f.Policy.Probes.Now(probes)
			}
			return f
		},
	}, true
}
