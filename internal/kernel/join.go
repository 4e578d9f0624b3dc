package kernel

import (
	"slices"

	"github.com/lowport/lowport/guard/report"
)

// Join makes one finding of several refusals. It has each cause, fact and warning once.
func Join(all ...Finding) Finding {
	joined := all[0]
	for _, f := range all[1:] {
		for _, c := range f.Causes {
			if !slices.ContainsFunc(joined.Causes, func(old report.Cause) bool { return old.ID == c.ID && old.Summary == c.Summary }) {
				joined.Causes = append(joined.Causes, c)
			}
		}
		for _, e := range f.Evidence {
			if !slices.Contains(joined.Evidence, e) {
				joined.Evidence = append(joined.Evidence, e)
			}
		}
		for _, u := range f.Unhelpful {
			if !slices.Contains(joined.Unhelpful, u) {
				joined.Unhelpful = append(joined.Unhelpful, u)
			}
		}
	}
	return joined
}
