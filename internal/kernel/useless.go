package kernel

import (
	"slices"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/guard/report"
)

// A useless is a tempting change, and what it does; unhelpful reports those that help in no
// world.
type useless struct {
	text    string
	changes []change // what the text speaks of; none if no world shows its effect
}

// A change is what somebody may do before the program is started again.
type change func(World, Goal) World

// unhelpful returns the texts of the causes' changes that help in no world. It leaves out
// causes that are only possible, since what they make useless is uncertain too.
func unhelpful(worlds []World, g Goal, found []report.Cause, l *look) []string {
	var all []string
	if g.Refused.setup() { // with more capabilities the setup may succeed
		g.Refused = Refusal{Capset: g.Refused.Capset}
	}
	for _, c := range found {
		if c.Certainty == report.Possible || c.ID == "bounding-excludes" && found[0].ID == "exec-refused" {
			continue // with exec-refused in front, setcap is a part of what helps
		}
		fill := words(l.f, g, l.about(c.ID))
		for _, u := range find(c.ID).useless {
			helps := slices.ContainsFunc(worlds, func(w World) bool {
				return slices.ContainsFunc(u.changes, func(change change) bool { return change(w, g).Allows(g) })
			})
			if text := fill.Replace(u.text); !helps && !slices.Contains(all, text) {
				all = append(all, text)
			}
		}
	}
	usable := l.w.Holds(g) && l.w.Counts && l.w.Granted
	if apart, _ := l.f.Net.Apart.Is(); apart && l.w.Privileged(g) && !usable {
		all = append(all, "ip_unprivileged_port_start of the host: this network namespace has its own")
	}
	return all
}

// stampedOnly gives the file the capability too.
func stampedOnly(w World, g Goal) World {
	w = w.Start()
	w.Image.Stamped, w.Image.Caps = true, Stamp(w.Image, g)
	return w
}

// asRoot starts the program as root, which holds all of its bounding set.
func asRoot(w World, g Goal) World { return w.Start().byRoot() }

// asRootSameWay starts it as root through the same mount, by whatever path led there.
func asRootSameWay(w World, g Goal) World {
	w.seen = false
	return w.byRoot()
}

// byRoot makes root the starter, with all of its bounding set.
func (w World) byRoot() World {
	w.Caller.UID, w.Caller.EUID = 0, 0
	w.Starter.Permitted, w.Starter.Effective = w.Starter.Bounding, w.Starter.Bounding
	return w
}

// bySudo starts the program by sudo, which no_new_privs keeps from becoming root.
func bySudo(w World, g Goal) World {
	if w.Starter.NoNewPrivs && w.Caller.UID != 0 {
		return w.Start()
	}
	return asRoot(w, g)
}

// ambientOnly gives the starter the capability as ambient, as far as its bounding set allows.
func ambientOnly(w World, g Goal) World {
	w = w.Start()
	w.Starter = Ambient(w.Starter, g.Need()&w.Starter.Bounding)
	return w
}

// widened leaves the capability in the bounding set.
func widened(w World, g Goal) World {
	w = w.Start()
	w.Starter.Bounding |= g.Need()
	return w
}

// everything lets the thread hold every capability, in this user namespace.
func everything(w World, g Goal) World {
	w.seen = true
	all := caps.UpTo(caps.Last)
	w.now.Permitted, w.now.Effective = all, all
	return w
}

// Ambient returns the state of a thread to which a launcher gave the set as ambient.
func Ambient(s caps.State, set caps.Set) caps.State {
	s.Inheritable |= set
	s.Permitted |= set
	s.Effective |= set
	s.Ambient |= set
	return s
}
