package rules

import (
	"slices"

	"github.com/lowport/lowport/internal/facts"
)

// A Gate is a question on the way to a bind. Each answer leads to a later gate,
// by its name, or out of the path: to [Bound], or to the errno of a refusal.
type Gate struct {
	Name, Question string
	Yes, No        string

	ask func(facts.Facts, Goal) Answer
}

// Bound is where the path ends well.
const Bound = "bound"

// Path is the way to a bind, the first gate first. For IPv4 the kernel asks for
// the address before the port, for IPv6 after it (__inet_bind, __inet6_bind).
var Path = []Gate{
	{"start", "Does the kernel execute the program?", "socket", "EPERM", func(f facts.Facts, _ Goal) Answer { return Starts(f) }},
	{"socket", "Can a socket of the address's family be made?", "policy", "EAFNOSUPPORT, EPROTONOSUPPORT, …", Family},
	{"policy", "Do seccomp, the LSMs and cgroup BPF let it through?", "port", "EACCES, EPERM, …", Policy},
	{"port", "Is the port at or above ip_unprivileged_port_start?", "address", "permitted", func(f facts.Facts, g Goal) Answer { return Unprivileged(f, g.Port) }},
	{"permitted", "Is cap_net_bind_service permitted?", "namespace", "EACCES", func(f facts.Facts, g Goal) Answer { return Permitted(f, g.Need()) }},
	{"namespace", "In the user namespace that owns the network namespace?", "profile", "EACCES", func(f facts.Facts, g Goal) Answer { return Counts(f, g.Need()) }},
	{"profile", "Does AppArmor, where it is on, grant it too?", "address", "EACCES", func(f facts.Facts, g Goal) Answer { return Granted(f, g.Need()) }},
	{"address", "Is the address one of this machine's?", "free", "EADDRNOTAVAIL", Local},
	{"free", "Is the port free?", Bound, "EADDRINUSE", Free},
}

// follow says where the path leads from the gate of a name. Where an answer is
// not known, the end is known only if both ways lead to the same.
func follow(name string, f facts.Facts, g Goal) Answer {
	for _, gate := range Path {
		if gate.Name != name {
			continue
		}
		switch gate.ask(f, g) {
		case Yes:
			return follow(gate.Yes, f, g)
		case No:
			return follow(gate.No, f, g)
		}
		if yes := follow(gate.Yes, f, g); yes == follow(gate.No, f, g) {
			return yes
		}
		return Unknown
	}
	return of(name == Bound)
}

// A Step is a gate of a walk along the path and the answer there.
type Step struct {
	Gate
	Answer Answer
}

// Walk answers the gates that the path of a goal leads through. Behind a refusal
// it goes on as if there were none: what stands there is hidden by it.
func Walk(f facts.Facts, g Goal) []Step {
	var steps []Step
	next := Path[0].Name
	for _, gate := range Path {
		if gate.Name != next {
			continue
		}
		a := gate.ask(f, g)
		steps = append(steps, Step{gate, a})
		next = gate.Yes
		if a == No && slices.ContainsFunc(Path, func(other Gate) bool { return other.Name == gate.No }) {
			next = gate.No
		}
	}
	return steps
}
