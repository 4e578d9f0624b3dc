package remedy

import (
	"slices"
	"strings"

	"github.com/lowport/lowport/guard/report"
	"github.com/lowport/lowport/internal/facts"
	"github.com/lowport/lowport/internal/kernel"
	"github.com/lowport/lowport/internal/term"
)

// profile adds to the AppArmor profile what it lacks. The name of a profile does not say which
// file it is in, so apparmor_parser reloads the whole folder.
func profile(w kernel.World, g kernel.Goal) (candidate, bool) {
	f := w.Facts
	const dir = "/etc/apparmor.d"
	name, ok := kernel.Profile(f)
	lines := kernel.ProfileRules(f, g)
	if !ok || len(lines) == 0 {
		return candidate{}, false
	}
	return candidate{
		Fix: report.Fix{ID: "profile", Scope: "file", Summary: "in the AppArmor profile", Lasts: "as long as the profile says so", Steps: []report.Step{
			{Edit: "the profile " + term.Show(name) + " in " + dir, Content: strings.Join(lines, "\n") + "\n"},
			{Run: sudo(f, "apparmor_parser", "-r", dir)},
		}},
		change: func(w kernel.World) kernel.World {
			w.Granted, w.Unseen = true, ""
			return w.With(func(f *facts.Facts) {
				f.Policy.Probes.Value = slices.Clone(f.Policy.Probes.Value)
				for i := range f.Policy.Probes.Value {
					if p := &f.Policy.Probes.Value[i]; p.Refused() { // a family that the kernel lacks it still lacks
						p.Errno = ""
					}
				}
			})
		},
	}, true
}
