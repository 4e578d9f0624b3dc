package remedy

import (
	"path"
	"strconv"
	"strings"

	"github.com/lowport/lowport/internal/machine"
	"github.com/lowport/lowport/internal/rules"
)

// stopOwner ends the program that holds the port.
func stopOwner(f machine.Facts, g rules.Goal) (candidate, bool) {
	socks, _ := f.Sockets.Is()
	var steps []Step
	for _, s := range socks {
		if rules.Conflicts(s, g) == rules.No {
			continue
		}
		step, ok := stop(f, s)
		if !ok {
			return candidate{}, false
		}
		if len(steps) == 0 || steps[len(steps)-1] != step {
			steps = append(steps, step)
		}
	}
	if len(steps) == 0 {
		return candidate{}, false
	}
	return candidate{
		Fix: Fix{ID: "stop-owner", Scope: "host", Summary: "stop what holds the port", Lasts: "until it is started again", Steps: steps},
		change: func(f machine.Facts) machine.Facts {
			var rest []machine.Socket
			for _, s := range f.Sockets.Value {
				if rules.Conflicts(s, g) == rules.No {
					rest = append(rest, s)
				}
			}
			f.Sockets = f.Sockets.Now(rest)
			return f
		},
	}, true
}

func stop(f machine.Facts, s machine.Socket) (Step, bool) {
	ids, okIDs := f.IDs.Is()
	unit := path.Base(s.Cgroup)
	switch {
	case s.Self, s.PID == 1, strings.HasSuffix(unit, ".socket"): // systemd holds it for a .socket unit
		return Step{}, false
	case machine.UnitName(unit) && strings.HasPrefix(s.Cgroup, "/system.slice/"):
		return Step{Run: Systemctl(Root(f), machine.Unit{Name: unit}, "stop")}, true
	case s.PID != 0 && okIDs && ids.EUID == s.UID:
		return Step{Run: Command("kill", strconv.Itoa(s.PID))}, true
	case s.PID != 0:
		return Step{Run: sudo(f, "kill", strconv.Itoa(s.PID))}, true
	default:
		return Step{}, false
	}
}
