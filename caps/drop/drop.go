package drop

import "github.com/lowport/lowport/caps"

// All gives up every capability, on every thread, for good. Afterwards the
// inheritable, permitted, effective and ambient sets are empty and
// no_new_privs is set, so no execve(2) brings anything back, neither by file
// capabilities nor by a set-user-ID bit nor because the uid is 0.
//
// The bounding set is emptied too if CAP_SETPCAP was permitted; without it, or
// where an AppArmor profile or SELinux withholds it, the kernel refuses that, and
// no_new_privs alone makes the bounding set moot. [Held] tells which of the two
// holds.
//
// All is irreversible. It may be called twice, from several goroutines, and by
// a process that holds nothing. An error that wraps [*Error] lists the threads
// in question; other errors come from reading /proc or from the system call
// that was refused. After an error the process may hold anything that it held
// before.
//
// Sources: capabilities(7), capset(2), PR_SET_NO_NEW_PRIVS(2const).
func All() error { return except("drop.All", 0) }

// Except is like [All] but keeps the capabilities in keep: afterwards they, and
// no others, are permitted on every thread, and the bounding set holds no others
// if CAP_SETPCAP was permitted. They are not effective: whoever needs one raises it for
// that moment, as package guard does for a bind and privport.Raise for anything. They
// are not inheritable and not ambient, so no ordinary child receives them; for that
// see [Start].
//
// If a thread does not have all of keep permitted, nothing is changed and the
// error wraps [*Error] and syscall.EPERM.
func Except(keep ...caps.Cap) error { return except("drop.Except", caps.SetOf(keep...)) }

// Clamp takes everything but keep out of the bounding set of every thread: the
// limit on what execve(2) may grant, for this process and all that descend
// from it. It changes nothing else and cannot be undone.
//
// The kernel requires CAP_SETPCAP for this. If a thread does not have it
// permitted, nothing is changed and the error wraps [*Error] and syscall.EPERM;
// it also says whether no_new_privs makes the bounding set moot.
//
// Source: PR_CAPBSET_DROP(2const).
func Clamp(keep ...caps.Cap) error { return clamp("drop.Clamp", caps.SetOf(keep...)) }

// ToUser makes this process, on every thread, the user with the given name: its
// supplementary groups, its gid, its uid. The process then holds exactly keep, as
// after [Except]; it has been verified that it cannot become root again.
//
// The name may be a number, "1000" or "1000:1000", which needs no /etc/passwd. It leaves
// every group that is not one of the user's; [LookupUser] returns those, and says what a
// number means.
//
// A name that is not in the user database is an error that wraps
// [user.UnknownUserError]. A name with uid 0 is refused too, and so is keeping
// cap_setuid. If a thread lacks CAP_SETUID, CAP_SETGID or any of keep, nothing is
// changed and the error wraps [*Error] and syscall.EPERM; nor is it where the
// groups would have to change in a user namespace that denies setgroups(2). An error
// in a later step can leave the process half changed: end it then. A process that is that user already needs
// neither of the two capabilities.
//
// In a program without cgo the user database is only /etc/passwd and /etc/group,
// see package os/user. The kernel makes a process that changed its uid
// undumpable, so the new user cannot trace it: PR_SET_DUMPABLE(2const).
//
// Sources: setgroups(2), setresgid(2), setresuid(2), PR_SET_KEEPCAPS(2const).
func ToUser(name string, keep ...caps.Cap) error {
	return toUser("drop.ToUser", name, caps.SetOf(keep...))
}

// Held returns what every thread of this process holds, read from
// /proc/self/task; Securebits, which are not there, stay zero. After a drop it
// tells what keeps the rest from coming back: an empty bounding set, or
// no_new_privs alone. Where the threads differ there is no one answer: the
// error wraps [*Error] and lists those that differ from the first.
func Held() (caps.State, error) { return held() }
