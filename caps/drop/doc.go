// Package drop lets go of privilege in this process: on every thread, for good,
// and read back. It is what a server calls once its sockets are open.
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
//   - [ToUser]: as All, and become an ordinary user. For a program that was
//     started as root, which otherwise stays the owner of root's files.
//   - [Except]: keep some, such as cap_net_bind_service to listen again later.
//   - [Clamp]: narrow the bounding set and leave the rest as it is.
//   - [Start]: run one child with exactly the given user and sets, as setpriv(1)
//     does, and stay as one is.
//   - [Held]: what every thread holds now.
//
// # What "for good" rests on
//
// Two things keep execve(2) from granting capabilities again: an empty bounding
// set and no_new_privs. All, Except and ToUser always set no_new_privs, which
// also takes the effect out of set-user-ID bits. They narrow the bounding set as
// well if every thread has CAP_SETPCAP, as root has; without it, or where a
// security module withholds it, the kernel refuses, and no_new_privs makes the
// bounding set moot. [Held] tells which of the two there is.
//
// # Every thread
//
// Capabilities, ids and no_new_privs belong to threads, and package libcap/cap
// carries each system call to all of them. It ends the process where two threads
// answer differently or where it cannot list them. So every thread is looked at
// first, and what it would trip over is an error that leaves the process
// running: a /proc that is missing or of another PID namespace, no file
// descriptor left, threads that may not signal each other, as under an AppArmor
// profile without "signal peer=" its own name, a thread that lacks what the others
// have, blocks signal 33, has seccomp filters of its own, or is the first thread
// and has ended. Success is reported only after every thread in /proc/self/task
// was read again; an [Error] lists those that differ, and how.
//
// No child is started half way: package os/exec waits while a drop is going on.
//
// # Limits
//
//   - Linux only. Elsewhere every function returns an error that wraps
//     [errors.ErrUnsupported].
//   - A program with cgo is built with the C code of libpsx; one without needs no
//     C compiler. No linker flag is needed.
//   - Files, sockets and memory that are open stay open: a drop takes nothing back
//     that was handed out before.
//   - All as root leaves uid 0, and with it the files of root. Use ToUser.
//   - Threads that C code or other goroutines change on their own, at the very
//     moment of a drop and in a way that takes CAP_SETPCAP, CAP_SETUID or
//     CAP_SETGID out of their effective set, can still answer differently. A
//     goroutine that only raises what is permitted cannot, if those were effective
//     when it began, as root's are.
//   - The bounding set leaves one capability at a time, and each stops all
//     threads: some 40 stops for root, two for a program without CAP_SETPCAP.
package drop
