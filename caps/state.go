package caps

// A State is what one thread holds: capabilities belong to threads, not to
// processes.
type State struct {
	Inheritable Set // kept over execve, granted where the file agrees
	Permitted   Set // may be made effective
	Effective   Set // what the kernel checks
	Bounding    Set // the limit on what execve may grant from a file
	Ambient     Set // kept over execve of an ordinary file

	NoNewPrivs bool       // execve grants nothing: prctl(2) PR_SET_NO_NEW_PRIVS
	Securebits Securebits // not in /proc; only Self knows them
}

// Securebits are the per-thread flags of prctl(2) PR_GET_SECUREBITS, with the
// values of <linux/securebits.h>. Each flag has a lock in the bit above it.
type Securebits uint32

const (
	NoRoot               Securebits = 1 << 0 // uid 0 gains nothing at execve
	NoRootLocked         Securebits = 1 << 1
	NoSetuidFixup        Securebits = 1 << 2 // changing uids leaves the sets alone
	NoSetuidFixupLocked  Securebits = 1 << 3
	KeepCaps             Securebits = 1 << 4 // permitted survives leaving uid 0; cleared by execve
	KeepCapsLocked       Securebits = 1 << 5
	NoAmbientRaise       Securebits = 1 << 6 // the ambient set cannot grow
	NoAmbientRaiseLocked Securebits = 1 << 7
)
