package unit

import "github.com/lowport/lowport/caps"

// hardening are the lines that confine the service. In a drop-in, lists that
// the unit may have begun are emptied first, and what would take the port away
// is undone.
func (s Service) hardening(dropIn bool) []line {
	var lines []line
	add := func(more ...line) { lines = append(lines, more...) }
	// list sets a directive of which systemd joins the values.
	list := func(key string, values ...string) {
		if dropIn && values[0] != "" {
			add(line{key, ""})
		}
		for _, v := range values {
			add(line{key, v})
		}
	}
	capability := ""
	if !s.Socket {
		capability = caps.SetOf(caps.NET_BIND_SERVICE).Systemd()
	}

	add(comment(capabilityComment(s.Socket))...)
	list("AmbientCapabilities", capability)
	list("CapabilityBoundingSet", capability)
	add(line{"NoNewPrivileges", "yes"})

	add(comment("Network.")...)
	list("RestrictAddressFamilies", s.families(dropIn))
	if s.Socket && !s.Outbound {
		add(line{"PrivateNetwork", "yes"}, line{"IPAddressDeny", "any"})
	} else if dropIn {
		add(line{"PrivateNetwork", "no"})
	}

	add(comment("Files, devices and other processes.")...)
	add(line{"ProtectSystem", "strict"}, line{"ProtectHome", "yes"}, line{"PrivateTmp", "yes"},
		line{"PrivateDevices", "yes"}, line{"DevicePolicy", "closed"}, line{"PrivateMounts", "yes"},
		line{"ProtectProc", "invisible"})
	switch {
	case s.Socket:
		add(line{"ProcSubset", "pid"}, line{"PrivateUsers", "yes"})
	case dropIn:
		add(line{"ProcSubset", "all"}, line{"PrivateUsers", "no"})
	}
	add(line{"RemoveIPC", "yes"}, line{"KeyringMode", "private"}, line{"UMask", "0077"})

	add(comment("Kernel.")...)
	for _, what := range []string{"Clock", "ControlGroups", "Hostname", "KernelLogs", "KernelModules", "KernelTunables"} {
		add(line{"Protect" + what, "yes"})
	}
	add(line{"LockPersonality", "yes"})
	if !s.JIT {
		add(line{"MemoryDenyWriteExecute", "yes"})
	} else if dropIn {
		add(line{"MemoryDenyWriteExecute", "no"})
	}
	add(line{"RestrictNamespaces", "yes"}, line{"RestrictRealtime", "yes"}, line{"RestrictSUIDSGID", "yes"})

	add(comment("System calls.")...)
	list("SystemCallArchitectures", "native")
	calls := []string{"@system-service", "~@privileged @resources"}
	if !s.Socket {
		calls = append(calls, "capset") // only to give up: see Notes
	}
	list("SystemCallFilter", calls...)
	add(line{"SystemCallErrorNumber", "EPERM"})
	return lines
}

func capabilityComment(socket bool) string {
	if socket {
		return "No capability: systemd binds the port."
	}
	return "One capability, to bind the port; nothing can add to it."
}

// families are the address families that the program may make sockets of.
// Accepting connections on an inherited socket needs none.
func (s Service) families(dropIn bool) string {
	local := s.Socket || s.Outbound || s.Type == "notify" || dropIn // a unit that exists may be Type=notify
	inet := !s.Socket || s.Outbound
	switch {
	case local && inet:
		return "AF_INET AF_INET6 AF_UNIX"
	case inet:
		return "AF_INET AF_INET6"
	default:
		return "AF_UNIX"
	}
}
