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
	var values [len(statusLines)]Set
	seen := 0 // bit i for line i
	for rest := status; len(rest) > 0; {
		line, after, whole := bytes.Cut(rest, []byte{'\n'})
		rest = after
		i, value := statusLine(line)
		switch {
		case i < 0:
			continue
		case seen>>i&1 == 1:
			return State{}, fmt.Errorf("status: %s: line repeated", statusLines[i])
		case !whole:
			return State{}, fmt.Errorf("status: %s: line cut short", statusLines[i])
		}
		v, err := parseHex(bytes.TrimSpace(value), statusDigits(i))
		if err != nil {
			return State{}, fmt.Errorf("status: %s: %w", statusLines[i], err)
		}
		values[i], seen = v, seen|1<<i
	}
	for i, name := range statusLines {
		if seen>>i&1 == 0 {
			return State{}, fmt.Errorf("status: %s: line missing", name)
		}
	}
	if nnp := values[5]; nnp > 1 {
		return State{}, fmt.Errorf("status: NoNewPrivs: %s is neither 0 nor 1", nnp.Hex())
	}
	return State{
		Inheritable: values[0], Permitted: values[1], Effective: values[2], Bounding: values[3], Ambient: values[4],
		NoNewPrivs: values[5] == 1,
	}, nil
}

// statusLines are the lines ParseStatus reads.
var statusLines = [...]string{"CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb", "NoNewPrivs"}

// statusLine returns which of statusLines it is and what follows its colon, or -1.
func statusLine(line []byte) (i int, value []byte) {
	if len(line) == 0 || line[0] != 'C' && line[0] != 'N' { // most lines
		return -1, nil
	}
	for i, name := range statusLines {
		if len(line) > len(name) && line[len(name)] == ':' && string(line[:len(name)]) == name {
			return i, line[len(name)+1:]
		}
	}
	return -1, nil
}

// statusDigits are the hex digits of line i: the kernel always writes all of a
// set (render_cap_t), so that fewer are a line cut short.
func statusDigits(i int) int {
	if statusLines[i] == "NoNewPrivs" {
		return 1
	}
	return 16
}

// parseHex reads so many hex digits, without a prefix.
func parseHex(digits []byte, want int) (Set, error) {
	if len(digits) != want {
		return 0, fmt.Errorf("%.40q is not %d hex digits", string(digits), want)
	}
	var s Set
	for _, c := range digits {
		d, ok := hexDigit(c)
		if !ok {
			return 0, fmt.Errorf("%q is not %d hex digits", string(digits), want)
		}
		s = s<<4 | d
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
