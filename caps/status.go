package caps

import (
	"bytes"
	"fmt"
	"io/fs"
	"strconv"
)

// ParseStatus reads the five capability sets and no_new_privs from the text of
// /proc/PID/status (proc_pid_status(5)). Every line must be there, once and
// whole: a missing, repeated or cut line is an error, never an empty set.
//
// NoNewPrivs is in status since Linux 4.10 and CapAmb since 4.3; lowport needs
// both. Securebits are not in status and stay zero.
func ParseStatus(status []byte) (State, error) {
	var s State
	var nnp Set
	lines := [...]struct {
		name string
		to   *Set
		seen bool
	}{
		{name: "CapInh", to: &s.Inheritable},
		{name: "CapPrm", to: &s.Permitted},
		{name: "CapEff", to: &s.Effective},
		{name: "CapBnd", to: &s.Bounding},
		{name: "CapAmb", to: &s.Ambient},
		{name: "NoNewPrivs", to: &nnp},
	}
	for rest := status; len(rest) > 0; {
		line, after, whole := bytes.Cut(rest, []byte{'\n'})
		rest = after
		name, value, ok := bytes.Cut(line, []byte{':'})
		if !ok {
			continue
		}
		for i := range lines {
			l := &lines[i]
			if string(name) != l.name {
				continue
			}
			if l.seen {
				return State{}, fmt.Errorf("status: %s: line repeated", l.name)
			}
			if !whole {
				return State{}, fmt.Errorf("status: %s: line cut short", l.name)
			}
			v, err := parseHex(bytes.TrimSpace(value))
			if err != nil {
				return State{}, fmt.Errorf("status: %s: %w", l.name, err)
			}
			*l.to, l.seen = v, true
		}
	}
	for _, l := range lines {
		if !l.seen {
			return State{}, fmt.Errorf("status: %s: line missing", l.name)
		}
	}
	if nnp > 1 {
		return State{}, fmt.Errorf("status: NoNewPrivs: %d is neither 0 nor 1", uint64(nnp))
	}
	s.NoNewPrivs = nnp == 1
	return s, nil
}

// parseHex reads 1 to 16 hex digits without a prefix.
func parseHex(digits []byte) (Set, error) {
	if len(digits) == 0 || len(digits) > 16 {
		return 0, fmt.Errorf("%q is not 1 to 16 hex digits", digits)
	}
	var s Set
	for _, d := range digits {
		switch {
		case '0' <= d && d <= '9':
			d -= '0'
		case 'a' <= d && d <= 'f':
			d -= 'a' - 10
		case 'A' <= d && d <= 'F':
			d -= 'A' - 10
		default:
			return 0, fmt.Errorf("%q is not 1 to 16 hex digits", digits)
		}
		s = s<<4 | Set(d)
	}
	return s, nil
}

// ReadStatus reads PID/status below fsys, which is /proc or a stand-in for it:
// os.DirFS("/proc"), or an fstest.MapFS in a test. It describes the main
// thread of the process; other threads can differ (see [Threads]).
func ReadStatus(fsys fs.FS, pid int) (State, error) {
	name := strconv.Itoa(pid) + "/status"
	b, err := fs.ReadFile(fsys, name)
	if err != nil {
		return State{}, err
	}
	s, err := ParseStatus(b)
	if err != nil {
		return State{}, fmt.Errorf("%s: %w", name, err)
	}
	return s, nil
}
