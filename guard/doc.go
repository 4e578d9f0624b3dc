// Package guard is the startup guard: it binds the port a server needs without
// root, or says why the kernel refused and prints what to do about it here.
//
//	ln := guard.MustBind(":443")
//	http.ServeTLS(ln, handler, certFile, keyFile)
//
// [MustBind] and [MustRequire] write the report to standard error and exit: with 77 if a
// permission is missing, 69 if the address is not available, 64 if it is malformed.
// RestartPreventExitStatus=77 64 in a systemd unit prevents a restart loop. [Bind] and
// [Require] return the report as an error, an *[Error] that wraps the *net.OpError, so that
//
//	errors.Is(err, fs.ErrPermission)
//
// still holds. Its Error method returns one line, with each cause's id in brackets and
// the command of the first fix; %+v prints the whole report, and [log/slog] and JSON get
// the report as a structure.
//
// # Which function to use
//
//   - For one TCP port: [MustBind] in main, [Bind] elsewhere.
//   - For one UDP port: [MustBindPacket], [BindPacket].
//   - For a context, a unix socket, or where a function like net.ListenConfig's is
//     wanted: [Listen], [ListenPacket].
//   - For a framework that binds by itself: [Explain], around its error.
//   - For several ports, all or nothing: [MustBindAll], [BindAll].
//   - For a capability that is no port's, such as cap_net_admin: [MustRequire],
//     [Require].
//   - Before a program is deployed, and of a process that runs: package guard/preflight.
//   - For the proof that a running process is as intended: package guard/audit.
//   - For a bug report: package guard/recording. Package guard/guardtest has machines
//     that were recorded, to test a program on.
//
// # The ways to a port
//
// A socket that this process was started with comes first (LISTEN_FDS, as from
// systemd), if it is bound to the address. So a service with a .socket unit needs no
// capability:
//
//	[Socket]
//	ListenStream=443
//
// A socket that nobody asks for is in the report's Notes, and stays for others, such as
// another library for socket activation. [privport.Offers] lists them, by name too, and
// [privport.HandOver] passes listeners to a new process in the same way.
//
// Then Bind tries a plain bind. If that succeeds, Bind reads and does nothing else. If it
// fails with EACCES and cap_net_bind_service is permitted, Bind makes the capability
// effective on the calling thread, tries again, and lowers it. With the option [Authbind]
// it asks authbind's helper last.
//
// # Limits
//
// The guard reports what a process can see of itself. It names a security policy that
// leaves no trace (Landlock, an LSM rule, a BPF program) only if the capability state
// excludes everything else. Off Linux, Bind is net.Listen and a report has no facts.
//
// [privport.HandOver]: https://pkg.go.dev/github.com/lowport/lowport/privport#HandOver
package guard
