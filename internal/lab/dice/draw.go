package dice

import "math/rand/v2"

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
	if s.is("name", "equals") && s.is("wrapper", "env") { // env takes it for a variable
		s = s.without("name")
	}
	if s.is("holder", "kernel") { // it has a UDP port
		s = s.with("proto", "udp")
	}
	drop := func(names ...string) { s = s.without(names...) }
	switch s.get("by") {
	case "container":
		drop("name", "place", "tracer", "landlock", "change", "shell", "bpf", "holder", "securebits", "sandbox", "sandbox2", "prefix", "socket", "fault")
		s = s.keep("launcher", "host-net").keep("userns", "foreign", "own").keep("nnp", "same").keep("user", "root", "nameless").
			keep("mount", "nosuid", "ramfs", "read-only", "overlay").keep("wrapper", "env", "nice", "sh-exec", "sh-child").
			keep("address", "any4", "any6", "lo4", "lo6", "lo2", "absent4", "absent6")
		if s.is("seccomp", "inet-socket:EAFNOSUPPORT", "inet-socket:EPROTONOSUPPORT") {
			drop("seccomp")
		}
		if s.is("launcher", "host-net") || s.is("userns", "foreign") {
			drop("threshold") // the engine would set the machine's
		}
	case "unit":
		drop("engine", "name")
		s = s.keep("holder", words("none other same root any4 lo4 reuseport bound bound-alone mptcp dual time-wait served served-wait several kernel")...)
		drop("place", "landlock", "change", "shell", "bpf")
		s = s.keep("tracer", "user").keep("launcher", "unshare-n").keep("userns", "foreign").keep("grant", "ambient").
			keep("mount", "nosuid", "ramfs", "read-only", "overlay").
			keep("wrapper", "env", "sh-exec", "sh-child", "taskset", "nice", "tini", "dumb-init")
	default:
		drop("engine", "sandbox", "sandbox2", "prefix", "socket", "fault")
		s = s.keep("user", "root", "nameless")
		if s.is("launcher", "host-net") {
			drop("launcher")
		}
	}
	if s.is("fault", "template") {
		drop("socket", "user")
	}
	if s.is("ask", "several") {
		drop("port")
	}
	if !s.is("ask", "bind", "several") {
		drop("proto", "family", "port", "landlock", "bpf", "threshold", "address", "holder", "mptcp", "control")
		if !s.is("seccomp", "none", "capset:EPERM", "capget:EPERM") {
			drop("seccomp")
		}
	}
	if s.is("proto", "udp") {
		drop("mptcp")
		if s.is("holder", "reuseport", "bound", "bound-alone", "mptcp", "dual", "time-wait", "served", "served-wait", "several", "passed") {
			drop("holder")
		}
	}
	if s.is("family", "4") && s.is("address", "any6", "lo6", "absent6", "off6", "tentative", "zone") ||
		s.is("family", "6") && s.is("address", "any4", "lo4", "lo2", "absent4") {
		drop("family")
	}
	if s.is("mount", "ramfs") && !s.is("file", "none", "setgid", "setuid") { // it holds no capabilities
		s = s.with("file", "none")
	}
	if s.is("tracer", "late") && !(s.is("place", "machine", "nested", "nested-net", "netns") && s.is("launcher", "none", "unshare-n", "unshare-m", "netns")) {
		drop("tracer") // the tracer would not see it
	}
	if s.is("before", "user") {
		s = s.with("user", "root")
	}
	if !s.is("user", "app") {
		drop("change")
	}
	if s.is("seccomp", "capset:EPERM", "capget:EPERM") {
		drop("change")
		if !s.is("user", "root") || !s.is("grant", "none") {
			drop("grant", "bounding", "securebits")
		}
		if s.is("nnp", "same") {
			drop("nnp")
		}
	}
	return s.visible()
}

// keep returns the situation with a knob made harmless that has none of the values.
func (s Situation) keep(name string, values ...string) Situation {
	if s.is(name, values...) {
		return s
	}
	return s.without(name)
}
