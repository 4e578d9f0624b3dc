package drop

import (
	"os/exec"

	"github.com/lowport/lowport/caps"
)

// A Child is what a program starts with: setpriv(1) as a value. The zero value
// is a child of the same user whose bounding set is empty: as an ordinary user
// it has no capability and can get none.
//
// What it holds after execve(2) follows by [caps.State.Exec]: an ordinary user
// has the ambient set permitted and effective, unless the file has
// capabilities of its own; uid 0 has the whole bounding set, unless Securebits
// has [caps.NoRoot].
//
// Narrowing the bounding set takes CAP_SETPCAP: an ordinary user gives the child
// the Bounding of its own [caps.Self], and NoNewPrivs.
type Child struct {
	User *User // --reuid, --regid, --groups; nil for the caller's

	Inheritable caps.Set // --inh-caps; what is ambient must be in it
	Ambient     caps.Set // --ambient-caps
	Bounding    caps.Set // --bounding-set; the caller's holds all of it

	NoNewPrivs bool            // --no-new-privs; inherited where the caller has it
	Securebits caps.Securebits // --securebits; a lock is the bit above its flag
}

// Start starts cmd as [exec.Cmd.Start] does, with exactly the privileges in c.
// The caller stays as it is: the changes are made on a thread of their own that
// ends afterwards, and in the child between fork and execve(2). The new user
// executes the file, and must be allowed to. Call cmd.Wait afterwards.
//
// What the kernel would refuse is an error, and so is what it would silently
// leave out, such as an ambient capability that is not inheritable; nothing is
// started then. The fields Credential, AmbientCaps, Ptrace and Pdeathsig of
// cmd.SysProcAttr cannot be combined with c: Pdeathsig is sent when the thread
// that started the child ends, which is at once. Nor can a new user namespace,
// whose first process has every capability there, in the bounding set too; nor an
// ambient set with a new user and the securebits NoAmbientRaise or
// KeepCapsLocked, since it is raised after the change of uid.
//
// Sources: setpriv(1), capabilities(7), capset(2), PR_CAPBSET_DROP(2const),
// PR_SET_SECUREBITS(2const), PR_CAP_AMBIENT(2const).
func Start(cmd *exec.Cmd, c Child) error { return start(cmd, c) }
