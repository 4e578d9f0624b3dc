package kernel

// A Gate is one question that the kernel asks on the way to a bind, or to the use of a
// capability. All that is said of a refusal is read off the list of gates.
type Gate struct {
	Name, Question string
	Causes         []string // all that can keep it shut

	asked     condition                           // when the kernel asks it at all
	opens     func(World, Goal, attempt) bool     // reports whether it lets the attempt through
	errno     func(World, Goal, attempt) string   // the errno when it is shut; "" if it may be any
	obstacles func(World, Goal, attempt) []string // those of Causes that keep it shut, in the kernel's order; nil for all
}

// A condition says when the kernel asks a gate, and how the picture names that.
type condition struct {
	name  string // "" for always
	holds func(World, Goal) bool
}

var (
	always     = condition{"", func(World, Goal) bool { return true }}
	bind       = condition{"", func(_ World, g Goal) bool { return g.Network != "" }}
	bind4      = condition{"of IPv4", func(_ World, g Goal) bool { return g.Network != "" && g.early() }}
	bind6      = condition{"of IPv6", func(_ World, g Goal) bool { return g.Network != "" && !g.early() }}
	late       = condition{"afterwards", func(w World, g Goal) bool { return g.Network != "" && w.Late }}
	listen     = condition{"of TCP", func(_ World, g Goal) bool { return g.Network != "" && g.Protocol() == "tcp" }}
	privileged = condition{"of a port below", func(w World, g Goal) bool { return g.Network == "" || w.Privileged(g) }}
)

// Gates lists all gates in the order in which the kernel asks them. The kernel checks the
// address before the port for IPv4, and after it for IPv6 (__inet_bind, __inet6_bind), so
// the gate of the address is in the list twice; each goal meets it once.
var Gates = []Gate{
	{
		Name: "start", Question: "Does the kernel execute the program?", Causes: []string{"exec-refused"},
		asked: always,
		opens: func(w World, g Goal, a attempt) bool { return w.seen || w.Missing() == 0 },
		errno: answers("EPERM"),
	},
	{
		Name: "socket", Question: "Can a socket of the address's family be made?",
		Causes: []string{"family-unavailable", "protocol-unavailable", "resource-limit"},
		asked:  bind,
		opens: func(w World, g Goal, a attempt) bool {
			return w.Unseen != "socket" && socketErrno(w.Facts, g, a) == ""
		},
		errno:     func(w World, g Goal, a attempt) string { return socketErrno(w.Facts, g, a) },
		obstacles: func(w World, g Goal, a attempt) []string { return []string{socketCause(w, g, a)} },
	},
	{
		Name: "setup", Question: "Does the program's own setup of the socket succeed?", Causes: []string{"control-refused", "seccomp", "bpf-or-policy"},
		asked:     bind,
		opens:     func(w World, g Goal, a attempt) bool { return !g.Refused.setup() && w.Unseen != "setup" },
		errno:     answers(""),
		obstacles: func(w World, g Goal, a attempt) []string { return []string{setupCause(w.Facts, g)} },
	},
	{
		Name: "policy", Question: "Do seccomp, the LSMs and cgroup BPF let it through?", Causes: policies,
		asked: bind,
		opens: func(w World, g Goal, a attempt) bool {
			return w.Unseen != "policy" && (w.Late || policyErrno(w.Facts, g, a) == "")
		},
		errno:     func(w World, g Goal, a attempt) string { return policyErrno(w.Facts, g, a) },
		obstacles: func(w World, g Goal, a attempt) []string { return policyObstacles(w.Facts, g, a) },
	},
	addressGate(bind4),
	{
		Name: "port", Question: "Is the port at or above ip_unprivileged_port_start?",
		asked: bind,
		opens: func(w World, g Goal, a attempt) bool { return true }, // it only decides what is asked next
		errno: answers(""),
	},
	{
		Name: "namespace", Question: "Do this user namespace's capabilities count here?",
		Causes:    []string{"foreign-user-namespace", "initial-user-namespace"},
		asked:     privileged,
		opens:     func(w World, g Goal, a attempt) bool { return w.Counts },
		errno:     answers("EACCES"),
		obstacles: func(w World, g Goal, a attempt) []string { return []string{namespaceCause(w, g)} },
	},
	{
		Name: "permitted", Question: "Is the capability permitted?", Causes: grants(),
		asked:     privileged,
		opens:     func(w World, g Goal, a attempt) bool { return w.Holds(g) },
		errno:     answers("EACCES"),
		obstacles: func(w World, g Goal, a attempt) []string { return grantObstacles(w, g) },
	},
	{
		Name: "profile", Question: "Does AppArmor, where it is on, grant it too?", Causes: []string{"apparmor"},
		asked: privileged,
		opens: func(w World, g Goal, a attempt) bool { return w.Granted },
		errno: answers("EACCES"),
	},
	addressGate(bind6),
	{
		Name: "free", Question: "Is the port free?", Causes: []string{"address-in-use"},
		asked: bind,
		opens: func(w World, g Goal, a attempt) bool { return w.Holder == Nobody },
		errno: answers("EADDRINUSE"),
	},
	{
		Name: "policy", Question: "Do cgroup BPF programs let the bound socket through?", Causes: policies,
		asked:     late,
		opens:     func(w World, g Goal, a attempt) bool { return policyErrno(w.Facts, g, a) == "" },
		errno:     func(w World, g Goal, a attempt) string { return policyErrno(w.Facts, g, a) },
		obstacles: func(w World, g Goal, a attempt) []string { return policyObstacles(w.Facts, g, a) },
	},
	{
		Name: "listen", Question: "Is listen let through?", Causes: policies,
		asked:     listen,
		opens:     func(w World, g Goal, a attempt) bool { return w.Unseen != "listen" && w.Facts.Launch.Listen == "" },
		errno:     func(w World, g Goal, a attempt) string { return w.Facts.Launch.Listen },
		obstacles: func(w World, g Goal, a attempt) []string { return []string{listenCause(w.Facts, g)} },
	},
}

var policies = []string{"seccomp", "selinux", "apparmor", "landlock", "bpf-or-policy", "unknown"}

func addressGate(asked condition) Gate {
	return Gate{
		Name: "address", Question: "Is the address one of this machine's?",
		Causes: []string{"address-invalid", "address-tentative", "address-unavailable"},
		asked:  asked,
		opens:  func(w World, g Goal, a attempt) bool { return w.Local && w.Unseen != "address" },
		errno: func(w World, g Goal, a attempt) string {
			if !Fit(g) {
				return "EINVAL"
			}
			return "EADDRNOTAVAIL"
		},
		obstacles: func(w World, g Goal, a attempt) []string { return []string{addressCause(w.Facts, g)} },
	}
}

func answers(errno string) func(World, Goal, attempt) string {
	return func(World, Goal, attempt) string { return errno }
}

// causes returns what keeps the gate shut.
func (gate *Gate) causes(w World, g Goal, a attempt) []string {
	if gate.obstacles == nil {
		return gate.Causes
	}
	return gate.obstacles(w, g, a)
}

// shut returns every gate that would refuse an attempt by itself.
func (w World) shut(g Goal, a attempt) []*Gate {
	var all []*Gate
	for i := range Gates {
		if gate := &Gates[i]; gate.refuses(w, g, a) {
			all = append(all, gate)
		}
	}
	return all
}

// refusedAt returns the first gate that refuses an attempt, nil for none.
func (w World) refusedAt(g Goal, a attempt) *Gate {
	for i := range Gates {
		if gate := &Gates[i]; gate.refuses(w, g, a) {
			return gate
		}
	}
	return nil
}

func (gate *Gate) refuses(w World, g Goal, a attempt) bool {
	return gate.asked.holds(w, g) && !gate.opens(w, g, a)
}
