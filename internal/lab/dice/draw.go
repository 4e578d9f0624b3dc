package dice

import (
	"maps"
	"math/rand/v2"
	"strings"
)

// Draw draws a situation in which a "shell", a "unit" or a "container" starts the program: few
// knobs that matter more often than many.
func Draw(r *rand.Rand, by string) Situation {
	s := Situation{}.with("by", by)
	turn := func(k Knob) { s[k.Name] = k.Values[1+r.IntN(len(k.Values)-1)] }
	for _, k := range Knobs {
		if k.Question && k.Name != "by" && r.IntN(6) == 0 {
			turn(k)
		}
	}
	// What is granted decides most: a third of the draws have the file as it is, and nearly
	// as many no capability on it.
	if file, _ := knob("file"); r.IntN(3) > 0 {
		turn(file)
		if r.IntN(3) == 0 {
			s["file"] = "none"
		}
	}
	for range 1 + r.IntN(2) + r.IntN(2)*r.IntN(3) + r.IntN(2)*r.IntN(2)*r.IntN(4) {
		k := Knobs[r.IntN(len(Knobs))]
		if !k.Question && k.Name != "file" {
			turn(k)
		}
	}
	if s["threshold"] == "raised" && r.IntN(2) == 0 {
		s["port"] = "8443"
	}
	return s.sound()
}

// sound returns the situation without the knobs that would contradict others or say nothing.
func (s Situation) sound() Situation {
	s = maps.Clone(s)
	s.fitStarter()
	s.fitQuestion()
	s.fitHelpers()
	s.dropHidden()
	return s
}

// fitStarter drops what a shell, a unit or a container has not.
func (s Situation) fitStarter() {
	switch s.get("by") {
	case "container":
		s.drop("name", "place", "tracer", "folders", "landlock", "change", "shell", "bpf", "holder", "securebits", "sandbox", "sandbox2", "prefix", "socket", "fault")
		s.keep("launcher", "host-net")
		s.keep("userns", "foreign", "own")
		s.keep("nnp", "same")
		s.keep("user", "root", "nameless")
		s.keep("mount", "nosuid", "ramfs", "read-only", "overlay")
		s.keep("wrapper", "env", "nice", "sh-exec", "sh-child")
		s.keep("address", "any4", "any6", "lo4", "lo6", "lo2", "absent4", "absent6")
		s.dropIf("seccomp", "inet-socket:EAFNOSUPPORT", "inet-socket:EPROTONOSUPPORT")
		if s.is("launcher", "host-net") || s.is("userns", "foreign") {
			s.drop("threshold") // the engine would set the machine's
		}
	case "unit":
		s.drop("engine", "name", "place", "folders", "landlock", "change", "shell", "bpf")
		s.keep("tracer", "user")
		s.keep("launcher", "unshare-n")
		s.keep("userns", "foreign")
		s.keep("grant", "ambient")
		s.keep("mount", "nosuid", "ramfs", "read-only", "overlay")
		s.keep("wrapper", "env", "sh-exec", "sh-child", "taskset", "nice", "tini", "dumb-init")
		s.dropIf("holder", "passed")
		if s.is("fault", "template") {
			s.drop("socket", "user")
		}
	default:
		s.drop("engine", "sandbox", "sandbox2", "prefix", "socket", "fault")
		s.keep("user", "root", "nameless")
		s.dropIf("launcher", "host-net")
	}
}

// fitQuestion drops what has nothing to do with what is asked, or contradicts it.
func (s Situation) fitQuestion() {
	if s.is("holder", "kernel") { // it has a UDP port
		s["proto"] = "udp"
	}
	if s.is("ask", "several") {
		s.drop("port")
	}
	if !s.is("ask", "bind", "several") {
		s.drop("proto", "family", "port", "landlock", "bpf", "threshold", "address", "holder", "mptcp", "control")
		s.keep("seccomp", "capset:EPERM", "capget:EPERM")
	}
	if s.is("proto", "udp") {
		s.drop("mptcp")
		s.dropIf("holder", "reuseport", "bound", "bound-alone", "mptcp", "dual", "time-wait", "served", "served-wait", "several", "passed")
	}
	if s.is("family", "4") && s.is("address", "any6", "lo6", "absent6", "off6", "tentative", "zone") ||
		s.is("family", "6") && s.is("address", "any4", "lo4", "lo2", "absent4") {
		s.drop("family")
	}
	if s.is("mount", "ramfs") && !s.is("file", "none", "setgid", "setuid") { // it holds no capabilities
		s["file"] = "none"
	}
	if s.is("before", "user") {
		s["user"] = "root"
	}
}

// fitHelpers drops what the programs cannot make that make a situation: most of it is a right that
// a helper needs and that another knob takes.
func (s Situation) fitHelpers() {
	if s.is("wrapper", "env") {
		s.dropIf("name", "equals") // env takes it for a variable
	}
	if !(s.is("place", "machine", "nested", "nested-net", "netns") && s.is("launcher", "none", "unshare-n", "unshare-m", "netns")) {
		s.dropIf("tracer", "late") // it would not see the program
	}
	if s.is("mount", "foreign") { // it is opened through /proc/PID/root, in quotes
		s.drop("name")
		s.drop("landlock")
		s.dropIf("launcher", "unshare-p", "no-proc", "chroot")
	}
	if s.is("by", "shell") && s.is("bounding", "without", "empty") {
		s.drop("grant")
	}
	if !s.is("userns", "none") { // its ids are mapped through /proc
		s.dropIf("launcher", "no-proc")
	}
	if !s.is("userns", "none") || s.is("mount", "idmapped") { // in a chroot no user namespace is made
		s.dropIf("place", "chroot")
		s.dropIf("launcher", "chroot")
	}
	call, _, _ := strings.Cut(s.get("seccomp"), ":")
	caps := strings.HasPrefix(call, "cap")
	if !s.is("user", "app") || s.is("userns", "range") || s.is("bounding", "only", "empty") ||
		s.is("securebits", "noroot") || strings.HasSuffix(call, "socket") || caps {
		s.drop("change")
	}
	if caps {
		s.drop("nnp")
	}
	if caps && !(s.is("user", "root") && s.is("grant", "none")) {
		s.drop("grant", "bounding", "securebits")
	}
}

// drop makes knobs harmless.
func (s Situation) drop(names ...string) {
	for _, name := range names {
		delete(s, name)
	}
}

// keep makes a knob harmless that has none of the values.
func (s Situation) keep(name string, values ...string) {
	if !s.is(name, values...) {
		delete(s, name)
	}
}

// dropIf makes a knob harmless that has one of the values.
func (s Situation) dropIf(name string, values ...string) {
	if s.is(name, values...) {
		delete(s, name)
	}
}
