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
	{"seccomp", "socket:", []string{"holder=bound-alone"}, "only netlink lists a socket that is bound alone, and asks for a socket"},
	{"userns", "foreign", []string{"file=own"}, "to its own user namespace the kernel shows version 3 of the attribute as version 2 (cap_inode_getsecurity)"},
	{"userns", "nested", []string{"file=own"}, "to its own user namespace the kernel shows version 3 of the attribute as version 2 (cap_inode_getsecurity)"},
	{"change", "sudo", []string{"holder=passed"}, "sudo(8) closes what it was passed for the program and holds it itself, and root's descriptors are not shown"},
	{"launcher", "no-proc", []string{"folders"}, "only /proc shows who shares the root and the working directory"},
	{"launcher", "no-proc", []string{"seccomp=capget:EPERM"}, "without /proc capget(2) alone tells what a thread holds"},
	{"place", "hidepid", []string{"mount=private", "launcher=unshare-n"}, "who started the program is hidden, and with it that its files or its network are others"},
	{"launcher", "unshare-p", []string{"mount=private"}, "who started the program is hidden, and with it that its files are others"},
	{"launcher", "unshare-p", []string{"place=subset"}, "who started the program is hidden, and with it that its /proc has no sysctls"},
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

// untried are the values that leave no trace in a situation that is refused without them: the
// kernel does not come to what they refuse, and the guard does not go there to look.
var untried = []struct {
	turn    string   // the knob, and how those of its values begin
	without []string // without these knobs it is asked whether the situation is refused
	why     string
}{
	{"before=capset", afterGrant, "capset(2) that gives nothing up changes nothing"},
	{"before=thread", afterGrant, "capset(2) that gives nothing up changes nothing"},
	{"seccomp=listen:", words("seccomp"), "no socket is bound that could listen, and a filter may end who calls listen(2) to see"},
	{"seccomp=capset:", words("seccomp"), "nothing is raised, and a filter may end who calls capset(2) to see"},
}
