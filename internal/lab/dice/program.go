package dice

import "strings"

// need is what the program needs, as setcap(8) has it.
func (s Situation) need() string {
	switch s.get("ask") {
	case "require":
		return "cap_net_admin"
	case "require2":
		return "cap_net_admin,cap_sys_time"
	}
	return "cap_net_bind_service"
}

// signed is the need with a sign before each capability, as setpriv(1) has it.
func (s Situation) signed(sign string) string {
	return sign + strings.ReplaceAll(strings.ReplaceAll(s.need(), "cap_", ""), ",", ","+sign)
}

func (s Situation) port() string { return s.get("port") }

// lowest is the lowest of the ports.
func (s Situation) lowest() string {
	if s.is("ask", "several") {
		return "53"
	}
	return s.port()
}

// program is the program and its arguments.
func (s Situation) program() []string {
	return append(append([]string{s.path()}, s.flags()...), s.target()...)
}

// target is what the program is asked for.
func (s Situation) target() []string {
	switch s.get("ask") {
	case "bind":
		return []string{s.host() + ":" + s.port()}
	case "several":
		return []string{s.host() + ":" + s.port(), s.host() + ":80", s.host() + ":53"}
	}
	return []string{"-require", s.need()}
}

// flags are how the program does it.
func (s Situation) flags() (w []string) {
	if v := s.get("before"); v != "nothing" {
		w = append(w, "-before", v)
	}
	if s.is("tracer", "late") {
		w = append(w, "-traced")
	}
	if v := s.network(); v != "tcp" {
		w = append(w, "-network", v)
	}
	if s.is("mptcp", "off") {
		w = append(w, "-mptcp=false")
	}
	if v := s.get("control"); v != "none" {
		w = append(w, "-control", v)
	}
	return w
}

// network is what the program asks for, as net has it.
func (s Situation) network() string {
	if s.is("family", "both") {
		return s.get("proto")
	}
	return s.get("proto") + s.get("family")
}

func (s Situation) host() string {
	return map[string]string{
		"any": "", "any4": "0.0.0.0", "any6": "[::]", "lo4": "127.0.0.1", "lo6": "[::1]", "localhost": "localhost",
		"lo2": "127.0.0.2", "absent4": "203.0.113.7", "absent6": "[2001:db8::7]", "off6": "[::1]",
		"tentative": "[2001:db8::1]", "zone": "[fe80::1%lo]",
	}[s.get("address")]
}
