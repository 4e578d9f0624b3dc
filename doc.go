// Package lowport binds low ports without root on Linux; when the kernel
// refuses, it names the true cause and prints a fix that works when pasted;
// afterwards the program holds no privilege at all. This package is the map; the
// code is in the packages below it.
//
//	guard            bind or explain: Bind, MustBind, Require, Explain
//	guard/report     what a refusal says, as text, JSON and slog
//	guard/preflight  the same before the start, or of a process that runs already
//	guard/recording  the evidence of one machine, read on another
//	guard/guardtest  recorded machines, to test on without root
//	guard/unit       hardened systemd units for a server on a low port
//	guard/audit      what a running process could do in an attacker's hands
//	caps/drop        give up every capability, on every thread, read back
//	privport         which ports are privileged here, and a listener with least privilege
//	caps             capabilities as plain values: read, write, predict execve(2)
//
// The commands are in examples: doctor (why, and what helps), filecaps (getcap and
// setcap), run (setpriv), unit (systemd units) and server.
//
// A server needs two calls:
//
//	ln := guard.MustBind(":443")
//	if err := drop.All(); err != nil {
//		log.Fatal(err)
//	}
//
// # Which way to grant the port
//
// The guard works unchanged with each of these; its report proposes those that
// would work where it runs.
//
//	a file             setcap cap_net_bind_service=+p PROGRAM     until the file is replaced
//	one start          setpriv --reuid=USER --regid=GROUP --init-groups
//	                     --inh-caps=+net_bind_service
//	                     --ambient-caps=+net_bind_service -- PROGRAM
//	                                                              until the program ends
//	a systemd service  AmbientCapabilities=CAP_NET_BIND_SERVICE   as long as the unit says so
//	a systemd socket   ListenStream=443, and no capability        as long as the unit says so
//	a container        --sysctl net.ipv4.ip_unprivileged_port_start=443
//	a whole machine    sysctl net.ipv4.ip_unprivileged_port_start=443
//
// # Why +p and not +ep
//
// Both work. The guard raises what is permitted, for the one bind. If the file
// has the effective bit and the bounding set lacks the capability, the kernel
// does not execute the file at all, even for --version or a high port, and the
// guard cannot even say so. [guard.Require] asks for effective capabilities, so
// its advice for files is +ep.
//
// [guard.Require]: https://pkg.go.dev/github.com/lowport/lowport/guard#Require
package lowport
