package explain

import (
	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/guard/report"
	"github.com/lowport/lowport/internal/facts"
	"github.com/lowport/lowport/internal/rules"
)

// notExecuted explains why the program would not even be executed, and what
// would refuse its bind if it were.
func (l *look) notExecuted(missing caps.Set, why map[string]string) []report.Cause {
	file, _ := see(l, "file capabilities", l.f.File.Installed.Caps, fileText, func(c caps.File) string {
		return "the file has " + fileText(c)
	})
	see(l, "starter's CapBnd", l.f.Launch.Starter,
		func(s caps.State) string { return s.Bounding.Hex() },
		func(s caps.State) string {
			return "its CapBnd " + s.Bounding.Hex() + " lacks " + missing.String()
		})
	causes := []report.Cause{l.cause("exec-refused")}

	// The same file without its effective bit.
	file.Effective = false
	started := l.f
	started.File.Installed.Caps = started.File.Installed.Caps.Now(file)
	started = rules.Start(started)
	next := &look{f: started, g: l.g, err: l.err, summary: l.summary, detail: l.detail}
	switch {
	case l.g.Network == "":
		if !started.Proc.Thread.Value.Bounding.Contains(l.g.Need()) {
			causes = append(causes, next.ungranted())
		}
	default:
		causes = append(causes, next.behind(causes)...)
	}
	l.seen, l.unsure = append(l.seen, unseen(l.seen, next.seen)...), l.unsure || next.unsure
	if l.g.Network == "" {
		return causes
	}
	if c := l.taken(why); c != "" {
		causes = append(causes, report.Cause{ID: "address-in-use", Certainty: c})
	}
	if id := l.absent(); id != "" {
		causes = append(causes, report.Cause{ID: id, Certainty: report.Likely})
	}
	return causes
}

// unseen is the evidence under names that the other has not.
func unseen(old, more []report.Fact) []report.Fact {
	var out []report.Fact
	for _, e := range more {
		known := false
		for _, o := range old {
			known = known || o.Name == e.Name
		}
		if !known {
			out = append(out, e)
		}
	}
	return out
}

// Untold is the finding for a bind that was not tried and whose outcome the
// evidence does not show.
func Untold(f facts.Facts, g rules.Goal, why string) Finding {
	l := &look{f: f, g: g, summary: map[string]string{}, detail: map[string]string{"unknown": "whether it would be allowed cannot be told: " + why}}
	if g.Network == "" {
		l.lacking()
	} else {
		l.refused()
	}
	return l.finding([]report.Cause{l.guess("unknown")}, nil)
}
