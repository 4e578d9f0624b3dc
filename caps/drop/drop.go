package drop

import "github.com/lowport/lowport/caps"

// All gives up every capability, on every thread, for good. Afterwards the
// inheritable, permitted, effective and ambient sets are empty and
// no_new_privs is set, so no execve(2) brings anything back, neither by file
// capabilities nor by a set-user-ID bit nor because the uid is 0.
//
// The bounding set is emptied too if CAP_SETPCAP was permitted; without it the
// kernel refuses that, and no_new_privs alone makes the bounding set moot.
// [Held] tells which of the two holds.
//
// All is irreversible. It may be called twice, from several goroutines, and by
// a process that holds nothing. An error that wraps [*Error] lists the threads
// in question; other errors come from reading /proc or from the system call
// that was refused. After an error the process may hold anything that it held
// before.
//
// Sources: capabilities(7), capset(2), PR_SET_NO_NEW_PRIVS(2const).
func All() error { return except("drop.All", 0) }

// Except is [All] but for the capabilities in keep: they, and no others, are
// afterwards permitted and effective on every thread, and the bounding set
// holds no others if CAP_SETPCAP was permitted. They are not inheritable and
// not ambient, so no ordinary child receives them; for that see [Start].
//
// Where a thread does not have all of keep permitted, nothing is changed and
// the error wraps [*Error] and syscall.EPERM.
func Except(keep ...caps.Cap) error { return except("drop.Except", caps.SetOf(keep...)) }

// Held returns what every thread of this process holds, read from
// /proc/self/task; Securebits, which are not there, stay zero. After a drop it
// tells what keeps the rest from coming back: an empty bounding set, or
// no_new_privs alone. Where the threads differ there is no one answer: the
// error wraps [*Error] and lists those that differ from the first.
func Held() (caps.State, error) { return held() }
