package dice

import "strings"

// hidden are the knobs that leave no trace behind others: whatever a process tries, it is refused
// before it comes to them. No situation has both.
var hidden = []struct {
	front, values string // the knob in front, and how those of its values begin that hide
	behind        []string
	why           string
}{
	{"seccomp", "bind:", []string{"bpf=bind", "bpf=after", "landlock=tcp"}, "no call of bind(2) comes to them"},
	{"seccomp", "socket:", []string{"bpf=bind", "bpf=after", "bpf=create", "landlock=tcp", "control"}, "there is no socket to try them with"},
	{"seccomp", "inet-socket:", []string{"bpf=bind", "bpf=after", "bpf=create", "landlock=tcp", "control"}, "there is no socket to try them with"},
	{"bpf", "create", []string{"landlock=tcp", "control"}, "there is no socket to try them with"},
}

// dropHidden makes harmless what leaves no trace in the situation.
func (s Situation) dropHidden() {
	for _, h := range hidden {
		if !strings.HasPrefix(s.get(h.front), h.values) {
			continue
		}
		for _, turn := range h.behind {
			if name, value, one := strings.Cut(turn, "="); !one || s.get(name) == value {
				delete(s, name)
			}
		}
	}
}

// afterGrant are the knobs that matter only once a capability was granted.
var afterGrant = words("landlock seccomp bpf threshold address holder mptcp control before port")

// mayGiveUpNothing reports whether the program gives up its capabilities by capset(2) alone, which
// leaves no trace where it has none: where the situation that is returned is refused.
func (s Situation) mayGiveUpNothing() (Situation, bool) {
	return s.without(afterGrant...), s.is("before", "capset", "thread")
}
