package facts

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/bits"
	"strings"
)

// gainedOrChangedUser reports whether this process has had more than it was started with,
// and so dropped what it lacks. Two traces stay: AT_SECURE of getauxval(3),
// where execve gave it capabilities of its file (cap_bprm_creds_from_file), and that
// it is not dumpable, where it changed its user since (commit_creds). execve of a
// setuid or setgid file leaves both too (begin_new_exec).
func gainedOrChangedUser(r Record) Fact[bool] {
	dumpable := fact(r, "prctl PR_GET_DUMPABLE", parseInt)
	secure := fact(r, "AT_SECURE", parseBool)
	label := fact(r, "proc/self/attr/current", parseText)
	file := fact(r, "exe stat", ParseStat)
	f := Fact[bool]{Source: "PR_GET_DUMPABLE, AT_SECURE"}
	switch {
	case dumpable.State != Known:
		f.Reason = dumpable.Reason
	case dumpable.Value == 1 && secure.State == Known && !secure.Value:
		return f.Now(false)
	case file.State == Known && file.Value.Setid():
		f.Reason = "execve of a setuid or setgid file leaves the same traces"
	case dumpable.Value != 1 && !secure.Value && sameParent(r): // AT_SECURE is hidden then before Linux 6.4
		f.Reason = "its parent is the same user, and a program can make itself undumpable"
	case dumpable.Value != 1: // SUID_DUMP_USER
		return f.Now(true)
	case secure.State != Known:
		f.Reason = secure.Reason
	case secure.Value && label.State == Known && !strings.HasPrefix(label.Value, "unconfined"):
		f.Reason = "a security module sets AT_SECURE too" // selinux_bprm_creds_for_exec
	default:
		return f.Now(true)
	}
	return f
}

// sameParent says whether the parent is known to be the same user: what it executed
// was not started as another one then, unless the parent has changed too.
func sameParent(r Record) bool {
	parent := fact(r, "proc/thread-self/status", StatusInt("PPid", math.MaxInt32))
	other := fact(r, "ancestor status", StatusInt("Tgid", math.MaxInt32)) // the nearest of another user
	return parent.Value != 0 && (other.State == Absent || other.State == Known && other.Value != parent.Value)
}

// ParseAuxv finds AT_SECURE in the auxiliary vector: pairs of words, the last of
// which is AT_NULL.
func ParseAuxv(b []byte) (int, error) {
	const (
		atNull, atSecure = 0, 23
		word             = bits.UintSize / 8
	)
	read := func(at int) uint64 {
		if word == 4 {
			return uint64(binary.NativeEndian.Uint32(b[at:]))
		}
		return binary.NativeEndian.Uint64(b[at:])
	}
	for at := 0; at+2*word <= len(b); at += 2 * word {
		switch key, value := read(at), read(at+word); {
		case key == atSecure && value <= 1:
			return int(value), nil
		case key == atSecure:
			return 0, fmt.Errorf("AT_SECURE is %d", value)
		case key == atNull:
			return 0, errors.New("no AT_SECURE")
		}
	}
	return 0, errors.New("auxv: cut short")
}
