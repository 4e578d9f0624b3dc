// Package drop gives up privilege in this process: on every thread, for good, and
// verified by reading back. It is what a server calls once its sockets are open.
//
//	ln := guard.MustBind(":443")
//	if err := drop.All(); err != nil {
//		log.Fatal(err)
//	}
//
// # Which function
//
//   - [All]: nothing is left. For a program that is not root, however its
//     capability was granted.
//   - [ToUser]: like All, and become an ordinary user. For a program that was
//     started as root, which would otherwise still own root's files.
//   - [Except]: keep some, such as cap_net_bind_service to listen again later.
//   - [Clamp]: narrow the bounding set and leave the rest as it is.
//   - [Start]: run one child with exactly the given user and sets, as setpriv(1)
//     does, and change nothing here.
//   - [Held]: what every thread holds now.
//
// # What "for good" rests on
//
// Two things keep execve(2) from granting capabilities again: an empty bounding
// set and no_new_privs. All, Except and ToUser always set no_new_privs, which
// also takes the effect out of set-user-ID bits. They narrow the bounding set as
// well if every thread has CAP_SETPCAP, as root has; without it, or where a
// security module withholds it, the kernel refuses, and no_new_privs makes the
// bounding set moot. [Held] shows which of the two it is.
//
// # Every thread
//
// Capabilities, ids and no_new_privs belong to threads, and package libcap/cap
// carries each system call to all of them. It ends the process if two threads
// answer differently or if it cannot list them. So every thread is checked first,
// and what libcap would trip over is an error that leaves the process running: a
// /proc that is missing or of another PID namespace, no file descriptor left,
// threads that may not signal each other, as under an AppArmor profile that has
// no "signal peer=" rule for its own name or under seccomp that drops tgkill(2), a
// thread that lacks what the others have, blocks signal 33, has seccomp filters of
// its own, or is the first thread and has ended. Success is reported only after every thread in /proc/self/task
// was read again; an [Error] lists those that differ, and how.
//
// No child is started in the middle of a drop: package os/exec waits until it is
// over.
//
// # A server that listens again later
//
// After Except(caps.NET_BIND_SERVICE) the capability is permitted and not effective: no
// code of the program has it by accident. Package guard raises it for a bind and lowers
// it again, so guard.Listen and guard.Bind work as before the drop. A program that calls
// net.Listen itself raises it for that call, with privport.Raise.
//
// # Programs in other languages
//
// It works in a library as well (-buildmode=c-shared, c-archive or plugin), and drops
// the threads of a C or Python program that loads it. A thread that uses its processor
// all the time is reached when the kernel lets it be interrupted, once for each stop.
//
// # Limits
//
//   - Linux only. Elsewhere every function returns an error that wraps
//     [errors.ErrUnsupported].
//   - A program with cgo is built with the C code of libpsx; one without needs no
//     C compiler. No linker flag is needed. One that is built without cgo and has
//     a package that stands in for it, as github.com/ebitengine/purego does, gets
//     an error: build it with CGO_ENABLED=1.
//   - libpsx holds all threads in a signal handler while it may allocate memory. A
//     program with more than some twenty threads of C that do nothing but
//     malloc(3) can come to a standstill there: drop before they start.
//   - Files, sockets and memory that are open stay open: a drop takes nothing back
//     that was handed out before. An io_uring(7) is such a file: it can keep
//     credentials (IORING_REGISTER_PERSONALITY, IORING_SETUP_SQPOLL), and the kernel
//     does not say whether it does. All, Except and ToUser refuse where a descriptor
//     is one; one without a descriptor (IORING_SETUP_REGISTERED_FD_ONLY) is not seen.
//   - All as root leaves uid 0, and with it the files of root. Use ToUser.
//   - Threads that C code or other goroutines change on their own, at the very
//     moment of a drop and so that CAP_SETPCAP, CAP_SETUID or CAP_SETGID leaves
//     their effective set, can still answer differently. Those on which a
//     goroutine only raises what is permitted cannot, if these three were
//     effective before, as root's are.
//   - Capabilities leave the bounding set one at a time, and each stops all
//     threads: about 40 stops for root, two for a program without CAP_SETPCAP.
package drop
