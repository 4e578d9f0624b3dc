package kernel

import "github.com/lowport/lowport/internal/facts"

// A Step is a gate that the kernel comes to, and what it says there.
type Step struct {
	Gate
	Answer Answer
}

// Walk returns the gates that the kernel asks on the way to a goal, with their answers in the
// likeliest worlds. It goes on behind a refusal as if there were none, to show what the
// refusal hides.
func Walk(worlds []World, g Goal) []Step {
	best := Likeliest(worlds)
	if g.Refused.Errno == 0 {
		best = worlds
	}
	var steps []Step
	for _, gate := range Gates {
		if gate.Name == "start" && !planning(worlds) {
			continue
		}
		asked, yes, no := false, false, false
		for _, w := range best {
			if !gate.asked.holds(w, g) {
				continue
			}
			asked = true
			open := gate.opens(w, g, w.counting(g))
			if gate.Name == "port" {
				open = !w.Privileged(g)
			}
			yes, no = yes || open, no || !open
		}
		answer := Unknown
		switch {
		case !asked:
			continue
		case !no:
			answer = Yes
		case !yes:
			answer = No
		}
		if byProbes := gate.Name == "socket" || gate.Name == "policy"; byProbes && answer == Yes && best[0].Facts.Policy.Probes.State != facts.Known {
			answer = Unknown // nothing was probed
		}
		if gate.Name == "listen" && answer == Yes && g.Refused.Call != "listen" {
			continue // the kernel did not ask it, or it opened
		}
		steps = append(steps, Step{gate, answer})
	}
	return steps
}

func planning(worlds []World) bool { return len(worlds) > 0 && worlds[0].Facts.Launch.Planned }

// counting returns the attempt that the fewest gates refuse, the last one among equals.
func (w World) counting(g Goal) attempt {
	attempts := g.attempts()
	best := attempts[0]
	for _, a := range attempts[1:] {
		if len(w.shut(g, a)) <= len(w.shut(g, best)) {
			best = a
		}
	}
	return best
}
