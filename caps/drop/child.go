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

// Start starts cmd as [exec.Cmd.Start] does, with exactly what c says. The
// caller stays as it is: the change is made on a thread of its own that ends,
// and in the child between fork and execve(2), which is done as the new user:
// the file must be one that it may execute. Call cmd.Wait afterwards.
//
// What the kernel would refuse or, like the ambient set outside of the
// inheritable one, leave out without a word, is an error, and nothing is
// started. Not possible together with what c sets are the fields Credential,
// AmbientCaps, Ptrace and Pdeathsig of cmd.SysProcAttr: the last comes when the
// thread that started the child ends, which is at once. Nor is a new user
// namespace, whose first process has everything in it, the bounding set too. Nor
// can an ambient set be given along with a new user and the securebits
// NoAmbientRaise or KeepCapsLocked, since it is raised after the change of the uid.
//
// Sources: setpriv(1), capabilities(7), capset(2), PR_CAPBSET_DROP(2const),
// PR_SET_SECUREBITS(2const), PR_CAP_AMBIENT(2const).
func Start(cmd *exec.Cmd, c Child) error { return start(cmd, c) }
