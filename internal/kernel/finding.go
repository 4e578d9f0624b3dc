package kernel

import (
	"errors"
	"net"
	"slices"
	"strings"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/guard/report"
	"github.com/lowport/lowport/internal/facts"
	"github.com/lowport/lowport/privport"
)

// A Finding is all that is known about one refusal. Causes[0] refused; the rest are
// obstacles that it hides.
type Finding struct {
	Causes    []report.Cause
	Evidence  []report.Fact
	Unhelpful []string // tempting changes that would not help
	Worlds    []World  // the stories that the evidence leaves possible; none if nothing can be said
}

// Explain names what stands in the way of a goal. Everything it says is derived from the
// worlds that the facts leave possible. err is the error of the bind, nil for capabilities.
func Explain(f *facts.Facts, g Goal, err error) Finding {
	l := &look{f: f, g: g, err: err}
	if id := unasked(g, err); id != "" {
		c := report.Cause{ID: id, Certainty: report.Proven}
		if dns := (*net.DNSError)(nil); id == "host-unresolved" && errors.As(err, &dns) && !dns.IsNotFound { // the resolver did not answer
			c.Certainty = report.Likely
		}
		return l.finding([]report.Cause{c})
	}
	worlds := Worlds(f, g)
	refusing := slices.DeleteFunc(slices.Clone(worlds), func(w World) bool { return w.Allows(g) })
	if len(refusing) == 0 {
		return l.contradiction()
	}
	l.open = len(refusing) < len(worlds)
	worlds = refusing
	l.w = worlds[0]
	causes, helpless := l.causes(worlds), !f.Launch.Planned && f.Proc.Thread.State != facts.Known
	if !everyThread(f, g) {
		causes, helpless = unread(causes), true
	}
	found := l.finding(causes)
	if !helpless {
		found.Worlds = worlds
	}
	found.Unhelpful = unhelpful(worlds, g, found.Causes, l)
	if p := purpose(g.Require); p != "" {
		found.Causes[0].Detail += "; " + p
	}
	return found
}

// Untold is the finding for a goal that was not tried and whose outcome the evidence does
// not show.
func Untold(f *facts.Facts, g Goal, why string) Finding {
	l := &look{f: f, g: g}
	l.threshold()
	l.held()
	found := l.finding([]report.Cause{{ID: "unknown", Certainty: report.Possible}})
	found.Causes[0].Detail = "whether it would be allowed cannot be told: " + why
	return found
}

// everyThread reports whether the goal concerns one thread alone, or what every thread holds
// could be read.
func everyThread(f *facts.Facts, g Goal) bool {
	return g.Network != "" || f.Launch.Planned || f.Proc.Threads.State == facts.Known
}

// unread adds a cause for the threads that could not be read, since that alone makes Explain
// fail. It puts the cause before those that are only possible.
func unread(causes []report.Cause) []report.Cause {
	at := slices.IndexFunc(causes, func(c report.Cause) bool { return c.Certainty == report.Possible })
	if at < 0 {
		at = len(causes)
	}
	return slices.Insert(causes, at, report.Cause{ID: "unknown", Certainty: report.Possible})
}

// unasked returns the cause of a failure before the kernel was asked, "" if the kernel was.
func unasked(g Goal, err error) string {
	var dns *net.DNSError
	switch {
	case g.Refused.Errno != 0, err == nil:
		return ""
	case g.Refused.Call == "control":
		return "control-refused"
	case errors.As(err, &dns) && !strings.Contains(dns.Name, "/"): // a look-up of a port has the name "tcp/PORT"
		return "host-unresolved"
	default:
		return "address-invalid"
	}
}

// contradiction is the finding if no story predicts what was read.
func (l *look) contradiction() Finding {
	l.threshold()
	l.held()
	l.file()
	l.noNewPrivs()
	found := l.finding([]report.Cause{{ID: "unknown", Certainty: report.Possible}})
	found.Causes[0].Detail = "could not tell: what was read contradicts the refusal, however this process was started and whatever it did since"
	return found
}

// causes returns the obstacles of the likeliest worlds. An obstacle that stands in every
// remaining world is proven; one that stands in all of the likeliest worlds is likely.
func (l *look) causes(worlds []World) []report.Cause {
	best := Likeliest(worlds)
	var ids, refused []string
	inAll, inBest := map[string]int{}, map[string]int{}
	for i, w := range worlds {
		obstacles := w.Obstacles(l.g)
		if i < len(best) {
			ids = union(ids, obstacles)
			refused = union(refused, w.refusedBy(l.g))
		}
		for _, id := range obstacles {
			inAll[id]++
			if i < len(best) {
				inBest[id]++
			}
		}
	}
	var all []report.Cause
	for _, id := range ids {
		c := report.Cause{ID: id, Certainty: report.Possible}
		certain := find(id).certain
		switch {
		case id == "unknown", l.open: // some world even allows it
		case inAll[id] == len(worlds) && (certain == nil || certain(l.f, l.g)):
			c.Certainty = report.Proven
		case inBest[id] == len(best):
			c.Certainty = report.Likely
		}
		all = append(all, c)
	}
	// Move the first cause that refused and is at least likely to the front.
	likely := func(c report.Cause) bool { return c.Certainty != report.Possible && slices.Contains(refused, c.ID) }
	if at := slices.IndexFunc(all, likely); at > 0 {
		all = slices.Concat(all[at:at+1], all[:at], all[at+1:])
	}
	var authbind *privport.AuthbindError
	if errors.As(l.err, &authbind) {
		all = append(all, report.Cause{ID: "authbind-refused", Certainty: report.Proven})
	}
	return all
}

// Obstacles returns the causes that stand in the way of a goal, in the order of the gates. If
// there are several attempts, it returns the causes of the one with the fewest, and of the
// last one among equals.
func (w World) Obstacles(g Goal) []string {
	fewest, _ := w.obstacles(g)
	return fewest
}

// refusedBy returns those of the obstacles that stand at the gate that refuses.
func (w World) refusedBy(g Goal) []string {
	_, first := w.obstacles(g)
	return first
}

// obstacles returns all obstacles of the attempt with the fewest, and those at its first gate.
func (w World) obstacles(g Goal) (fewest, first []string) {
	var never []string
	if !w.seen && w.Missing() != 0 { // look for what would refuse if the program were executed
		never = []string{"exec-refused"}
		w.Image.Caps.Effective, w.raised = false, true
	}
	for i, a := range g.attempts() {
		ids, at := slices.Clone(never), slices.Clone(never)
		for _, gate := range w.shut(g, a) {
			causes := gate.causes(w, g, a)
			if ids = union(ids, causes); len(at) == 0 {
				at = causes
			}
		}
		if i == 0 || len(ids) <= len(fewest) {
			fewest, first = ids, at
		}
	}
	return fewest, first
}

// Allows reports whether the goal is reached in every world, or in none.
func Allows(worlds []World, g Goal) Answer {
	yes, no := 0, 0
	for _, w := range worlds {
		if w.Allows(g) {
			yes++
		} else {
			no++
		}
	}
	switch {
	case no == 0 && yes > 0:
		return Yes
	case yes == 0 && no > 0:
		return No
	default:
		return Unknown
	}
}

// Allows reports whether some attempt gets through all gates.
func (w World) Allows(g Goal) bool {
	return slices.ContainsFunc(g.attempts(), func(a attempt) bool { return w.refusedAt(g, a) == nil })
}

// finding gives the causes their words and their evidence.
func (l *look) finding(all []report.Cause) Finding {
	ofAddress := func(c report.Cause) bool {
		return slices.ContainsFunc(addressCauses, func(a cause) bool { return a.id == c.ID })
	}
	if l.w.Facts != nil && slices.ContainsFunc(all, func(c report.Cause) bool { return !ofAddress(c) }) {
		l.threshold()
	}
	for i := range all {
		c := &all[i]
		entry := find(c.ID)
		c.Exit = entry.exit
		if entry.show != nil && l.w.Facts != nil {
			entry.show(l)
		}
		said := entry.wording
		if entry.say != nil {
			said = entry.say(l, said)
		}
		fill := words(l.f, l.g, l.about(c.ID))
		c.Summary, c.Detail = fill.Replace(said.summary), fill.Replace(said.detail)
	}
	return Finding{Causes: all, Evidence: l.seen}
}

// about returns the part of the needed capabilities that a cause is about.
func (l *look) about(id string) caps.Set {
	need, held := l.g.Need(), l.f.Proc.Thread.Value
	part := need
	switch id {
	case "foreign-user-namespace":
		part &= Network
	case "initial-user-namespace":
		part &= Initial
	case "bounding-excludes":
		part &^= l.w.Starter.Bounding
	case "exec-refused":
		return l.w.counted().Missing()
	case "file-caps-partial":
		part &^= l.w.Image.Caps.Permitted
	case "no-capability":
		part &^= held.Permitted
	case "not-raised":
		part &^= held.Effective
	}
	if part == 0 {
		return need
	}
	return part
}
