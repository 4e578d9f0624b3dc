package unit

// Notes says what the hardening of this service costs: what the program has to
// do or to do without, and what the guard cannot see behind it. Each is one
// sentence.
func (s Service) Notes() []string {
	var notes []string
	note := func(when bool, text string) {
		if when {
			notes = append(notes, text)
		}
	}
	note(len(s.Exec) == 0 && s.User == "", "the drop-in leaves User= to the unit: see that it has one, or DynamicUser=yes, or it stays root with one capability")
	note(s.Socket, "the program has to take the socket over: guard.Bind does, other programs by sd_listen_fds(3)")
	note(s.Socket && !s.Outbound, "PrivateNetwork= leaves the program no network but the socket's connections; Outbound lifts it")
	note(s.Socket, "ProcSubset=pid hides net.ipv4.ip_unprivileged_port_start, so where a socket is missing the guard's causes are likely at best")
	note(!s.Socket, "RestrictAddressFamilies= has no AF_NETLINK, so the guard cannot name who holds a port that is in use; a program that lists network interfaces needs it too")
	note(true, "ProtectProc=invisible hides process 1 and all programs of other users from the guard")
	note(!s.Socket, "SystemCallFilter= lets capset through, which under NoNewPrivileges= can only give up: caps/drop does")
	note(!s.JIT, "MemoryDenyWriteExecute= stops programs that write machine code at run time, such as node and java; JIT lifts it")
	note(true, "ProtectHome= and PrivateTmp= hide /home, /root, /tmp and /var/tmp of the machine: certificates have to lie elsewhere")
	return notes
}
