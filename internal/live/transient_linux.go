package live

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/lowport/lowport/internal/facts"
	"golang.org/x/sys/unix"
)

// transient returns ENOENT if systemd-run(1) did not make the unit of the cgroup, nil if it did.
// In a root of its own the process cannot see the unit, so the name has to show it.
func transient(r facts.Record) ([]byte, error) {
	u, err := facts.UnitOf(r)
	if err != nil || u.Name == "" {
		return nil, unix.ENODATA
	}
	if facts.OwnRoot(r) && isRunName(u.Name) {
		return nil, nil
	}
	folder := "/run/systemd/transient"
	if u.User {
		folder = fmt.Sprintf("/run/user/%d/systemd/transient", os.Getuid())
	}
	return nil, unix.Access(filepath.Join(folder, u.Name), unix.F_OK)
}

// isRunName reports whether a name looks like one that systemd-run(1) chose. Unless it is told a
// name, it uses its D-Bus connection (uN), its process (pN-iN), or a random number (rHEX).
func isRunName(unit string) bool {
	id, isService := strings.CutSuffix(unit, ".service")
	id, isRun := strings.CutPrefix(id, "run-")
	if !isService || !isRun || id == "" {
		return false
	}
	isNumber := func(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }
	switch rest := id[1:]; id[0] {
	case 'u':
		return isNumber(rest)
	case 'p':
		process, invocation, ok := strings.Cut(rest, "-i")
		return ok && isNumber(process) && isNumber(invocation)
	case 'r':
		return len(rest) == 32 && strings.Trim(rest, "0123456789abcdef") == ""
	}
	return false
}
