package caps

import (
	"fmt"
	"strings"
)

// A State is what one thread holds: capabilities belong to threads, not to
// processes. Its JSON is that of process.capabilities in the OCI runtime
// specification and two keys more.
type State struct {
	Inheritable Set `json:"inheritable"` // kept over execve, granted where the file agrees
	Permitted   Set `json:"permitted"`   // may be made effective
	Effective   Set `json:"effective"`   // what the kernel checks
	Bounding    Set `json:"bounding"`    // the limit on what execve may grant from a file
	Ambient     Set `json:"ambient"`     // kept over execve of an ordinary file

	NoNewPrivs bool       `json:"noNewPrivileges,omitempty"` // execve grants nothing: prctl(2) PR_SET_NO_NEW_PRIVS
	Securebits Securebits `json:"securebits,omitempty"`      // not in /proc; only Self knows them
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

var securebitNames = [...]string{
	"noroot", "noroot_locked", "no_setuid_fixup", "no_setuid_fixup_locked",
	"keep_caps", "keep_caps_locked", "no_cap_ambient_raise", "no_cap_ambient_raise_locked",
}

// String returns the names of <linux/securebits.h> in lower case without
// "SECBIT_", joined by commas; bits without a name as one hex number.
func (b Securebits) String() string {
	var list []string
	for i, name := range securebitNames {
		if b&(1<<i) != 0 {
			list = append(list, name)
			b &^= 1 << i
		}
	}
	if b != 0 {
		list = append(list, fmt.Sprintf("%#x", uint32(b)))
	}
	return strings.Join(list, ",")
}
