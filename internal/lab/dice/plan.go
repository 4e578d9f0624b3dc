package dice

import "strings"

// A Plan is a situation as shell scripts, each run by root.
type Plan struct {
	Place    string   // makes the place where the operator's shell is, and writes the id of a process there to /run/place
	Prepare  string   // makes the rest, in that place
	Start    string   // starts the program, in that place
	Foretell []string // the same with a prediction in the place of the program, and by root's shell; some situations have none
	Behind   string   // the same as the first prediction's, with another execve in the place of the predictor's

	Boots bool // the machine has systemd
	Apart bool // the place is not the machine itself
	Root  bool // the operator's shell is root's
}

// plan says how a situation is made.
func (s Situation) plan() Plan {
	prepare := "set -eu\n" + s.disk() + s.machine() + s.holders() + s.policy()
	if s.is("by", "unit") {
		foretell := append([]string{"/lab/guest", "-unit", "/etc/systemd/system/" + s.unitFile()}, append(s.flags(), s.target()...)...)
		var scripts []string
		if s.foreseen() {
			scripts = []string{"exec " + commandLine(foretell) + "\n"}
		}
		return Plan{
			Boots: true, Prepare: prepare + s.units(), Start: s.startUnit(), Behind: s.startUnit(),
			Foretell: scripts, Root: s.is("user", "root"),
		}
	}
	if s.is("by", "container") {
		return Plan{Prepare: prepare + s.container(), Start: startContainer, Root: true}
	}
	place := s.place()
	return Plan{
		Place:    place,
		Prepare:  prepare,
		Start:    "exec " + commandLine(s.launch(s.program())) + "\n",
		Foretell: s.foretell(),
		Behind:   "exec " + commandLine(s.launch(append([]string{"sh", "-c", `exec "$@"`, "sh"}, s.program()...))) + "\n",
		Apart:    place != "",
		Root:     s.is("user", "root"),
	}
}

// place makes a place that is not the machine itself: a shell in namespaces of its own, or a
// root of its own.
func (s Situation) place() string {
	// A process of the place tells its id once all is there.
	in := func(enter, first string) string {
		return enter + " sh -euc '" + first + "echo $$ >/run/place.new\nmv /run/place.new /run/place\nexec sleep 1000' </dev/null >/dev/null 2>&1 &\n" +
			"until [ -s /run/place ]; do kill -0 $!; sleep 0.003; done\n"
	}
	const up = "ip link set lo up\n"
	switch s.get("place") {
	case "nested":
		return in("unshare -m -n", up)
	case "nested-net":
		return in("unshare -n", up)
	case "netns":
		return "ip netns add lan\n" + in("ip netns exec lan", up)
	case "chroot":
		return "mkdir /mnt/new\nmount --rbind / /mnt/new\n" + in("chroot /mnt/new", "")
	case "nested-pid": // where the id is another
		return `unshare -m -p -f --mount-proc sleep 1000 </dev/null >/dev/null 2>&1 &
unshare=$!
until { read -r place </proc/$unshare/task/$unshare/children || [ "$place" ]; } && grep -q sleep /proc/$place/comm; do kill -0 $unshare; sleep 0.003; done
echo $place >/run/place
`
	}
	return ""
}

// shell is the operator's.
func (p Plan) shell() []string {
	if p.Root {
		return []string{"sh", "-e"}
	}
	return []string{"setpriv", "--reuid=operator", "--regid=operator", "--init-groups", "env", "HOME=/home/operator", "USER=operator", "sh", "-e"}
}

// enter is what runs a command in the place.
func (p Plan) enter() []string {
	if !p.Apart {
		return nil
	}
	return []string{"sh", "-c", `place=$(cat /run/place); exec nsenter -t $place -m -n -p -r -w -- "$@"`, "sh"}
}

// commandLine quotes words for a shell.
func commandLine(words []string) string {
	var quoted []string
	for _, w := range words {
		if w == "" || strings.ContainsAny(w, " \"'$&;<>|*?[]()!#~`\\") {
			w = "'" + strings.ReplaceAll(w, "'", `'\''`) + "'"
		}
		quoted = append(quoted, w)
	}
	return strings.Join(quoted, " ")
}
