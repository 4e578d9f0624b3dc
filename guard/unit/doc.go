// Package unit writes systemd units for a server on a low port: hardened, and yet
// the server serves. There are two routes to the port.
//
// The capability route is one .service. Its program gets cap_net_bind_service
// as an ambient capability, binds as it always did, and can never hold anything
// else:
//
//	files, err := unit.Service{
//		Exec: []string{"/opt/myserver/myserver", "--addr", ":443"},
//		User: "appuser",
//	}.Files()
//
// The socket route is a .socket beside the .service: systemd binds, and the
// program takes the socket over (sd_listen_fds(3), as guard.Bind does). It needs
// no capability, and no network beyond that socket:
//
//	unit.Service{Exec: …, Listen: []string{":443"}, Socket: true}
//
// [Service.DropIn] writes the same as a drop-in for a unit that exists already.
// [Service.Notes] says what the hardening costs: which lines a program may have
// to do without, and which ones hide evidence from the guard.
//
// # What no value can do
//
// A path, an argument, a user or a variable can neither add a line nor expand
// to anything: each is quoted as systemd.syntax(7) and systemd.service(5) want
// it, "%" and "$" mean themselves, and what cannot be written safely (control
// bytes, text that is not UTF-8, a path that ends in a backslash) is an error.
//
// # What is left out, and why
//
//   - ProcSubset=pid on the capability route: it hides
//     net.ipv4.ip_unprivileged_port_start, so the guard could prove nothing.
//   - PrivateUsers= on the capability route: the capability would be held in a
//     user namespace that does not own the network, and the kernel would refuse.
//   - SocketBindDeny=: Go probes what it may bind by binds to [::1]:0, and where
//     those are refused it turns ":443" into the IPv4 addresses alone.
//   - Units of a user's own manager: it can grant no capability and bind no low
//     port.
//   - Accept=yes: it starts a program for each connection, and guard.Bind takes
//     listeners.
//   - RootDirectory=: which files a program needs is not known here.
//
// The units need systemd 249 or newer. A program that runs as root is refused:
// this package is there so that none does.
package unit
