package caps

import (
	"bytes"
	"fmt"
	"strconv"
)

// A SeccompMode is the mode of seccomp(2) that a thread runs in.
type SeccompMode uint8

// The modes of <linux/seccomp.h>.
const (
	SeccompDisabled SeccompMode = iota
	SeccompStrict
	SeccompFilter
)

// String returns "disabled", "strict" or "filter", or the number.
func (m SeccompMode) String() string {
	switch m {
	case SeccompDisabled:
		return "disabled"
	case SeccompStrict:
		return "strict"
	case SeccompFilter:
		return "filter"
	}
	return strconv.Itoa(int(m))
}

// ParseSeccomp reads the seccomp mode from the text of /proc/PID/status. The
// line is missing, which is an error, where the kernel has no seccomp.
func ParseSeccomp(status []byte) (SeccompMode, error) {
	_, rest, ok := bytes.Cut(status, []byte("\nSeccomp:\t"))
	if !ok {
		return 0, fmt.Errorf("status: Seccomp: line missing")
	}
	value, rest, whole := bytes.Cut(rest, []byte{'\n'})
	if !whole || len(value) != 1 || value[0] < '0' || value[0] > '9' {
		return 0, fmt.Errorf("status: Seccomp: %.40q is not a mode", value)
	}
	if bytes.Contains(rest, []byte("\nSeccomp:\t")) {
		return 0, fmt.Errorf("status: Seccomp: line repeated")
	}
	return SeccompMode(value[0] - '0'), nil
}
