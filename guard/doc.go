// Package guard is the startup guard: it binds the port a server needs without
// root, or says why the kernel refused and prints what to do about it here.
//
//	ln := guard.MustBind(":443")
//	http.ServeTLS(ln, handler, certFile, keyFile)
//
// [MustBind] and [MustRequire] write the report to standard error and exit:
// with 77 where a permission is missing, 69 where the address cannot be had,
// 64 where it is malformed. A systemd unit can say
// RestartPreventExitStatus=77 64 and not loop. [Bind] and [Require] return the
// same as an error: a *[Error] that wraps the *net.OpError, so that
//
//	errors.Is(err, fs.ErrPermission)
//
// still holds. Its Error method is one line; %+v prints the whole report, and
// [log/slog] and JSON get the report as a structure.
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
//   - Before a program is deployed: package guard/preflight.
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
// Then a plain bind is tried, and if it succeeds nothing else is done or read.
// Only after EACCES, and only if cap_net_bind_service is permitted, is it made
// effective on the calling thread for a second try, and lowered again. With the
// option [Authbind], and only then, authbind's helper is asked last.
//
// # Limits
//
// The guard reports what a process can see of itself. A security policy that
// leaves no trace (Landlock, an LSM rule, a BPF program) is reported as such only
// where the capability state excludes everything else. Off Linux, Bind is
// net.Listen and a report has no facts.
//
// [privport.HandOver]: https://pkg.go.dev/github.com/lowport/lowport/privport#HandOver
package guard
