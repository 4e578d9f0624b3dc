package remedy

import (
	"fmt"
	"path"
	"strconv"
	"strings"

	"github.com/lowport/lowport/guard/report"
	"github.com/lowport/lowport/internal/facts"
	"github.com/lowport/lowport/internal/kernel"
)

// managerOf returns the user whose own systemd manages a cgroup. It reports false if that is the
// system's.
func managerOf(cgroup string) (uid uint32, ok bool) {
	for _, part := range strings.Split(cgroup, "/") {
		id, isUser := strings.CutPrefix(part, "user@")
		if n, err := strconv.ParseUint(strings.TrimSuffix(id, ".service"), 10, 32); isUser && err == nil {
			return uint32(n), true
		}
	}
	return 0, false
}

// stopByUser returns the step that has a user's own systemd stop what holds a socket: a service, a
// socket unit with what it starts, or a socket unit that is found by its address. The cgroup of
// such a socket is often that of the manager. It reports false for any other cgroup.
func stopByUser(f *facts.Facts, s facts.Socket) ([]report.Step, bool) {
	uid, isUser := managerOf(s.Cgroup)
	unit, managed := unitOf(s.Cgroup)
	stop := ""
	switch {
	case !isUser:
	case managed && unit.User && strings.HasSuffix(unit.Name, ".socket"):
		stop = Systemctl(true, unit, "stop") + " $(" + Systemctl(true, unit, "show", "-p", "Triggers", "--value") + ")"
	case managed && unit.User:
		stop = Systemctl(true, unit, "stop")
	case path.Base(s.Cgroup) == "init.scope":
		at := strings.NewReplacer(".", "[.]", "[", "[[]", "]", "[]]").Replace(s.Addr.String())
		stop = `systemctl --user stop $(systemctl --user list-sockets --no-legend | sed -n "s/ -//;s/^` + at + ` *//p")`
	}
	if stop == "" {
		return nil, false
	}
	if f.Launcher.Operator.Value.UID == uid {
		return []report.Step{{Run: stop}}, true
	}
	id := fmt.Sprint(uid)
	return []report.Step{{Run: sudo(f, "setpriv", "--reuid="+id, "--clear-groups", "env", "XDG_RUNTIME_DIR=/run/user/"+id, "sh", "-c", stop)}}, true
}

// userDropIn takes back the sandboxing of a user's unit that voids the file's capabilities. A filter
// implies NoNewPrivileges=, and mounts of its own imply PrivateUsers=, whatever is set
// (systemd.exec(5)). The user's systemd has to be free of both.
func userDropIn(w kernel.World, g kernel.Goal) (candidate, bool) {
	f := w.Facts
	u, inUnit := f.Launcher.Unit.Is()
	manager, known := f.Launcher.Operator.Is()
	seccomp, readable := f.Proc.Seccomp.Is()
	var lines []string
	noNewPrivs := w.Starter.NoNewPrivs && readable && seccomp == 0 && !manager.NoNewPrivs
	if noNewPrivs {
		lines = append(lines, "NoNewPrivileges=no")
	}
	ownUsers := !w.Counts && privateUsers(f) && manager.SameRoot && manager.OtherUsers
	if ownUsers {
		lines = append(lines, "PrivateUsers=no")
	}
	if !inUnit || !u.User || u.Transient || !known || len(lines) == 0 {
		return candidate{}, false
	}
	return candidate{
		Fix: report.Fix{ID: "systemd-drop-in", Scope: "unit", Summary: "for the user unit " + u.Name, Lasts: "until the drop-in is removed", Steps: []report.Step{
			{Edit: "systemctl --user edit " + u.Name, Content: "[Service]\n" + strings.Join(lines, "\n") + "\n"},
			restartUnit(f, u),
		}},
		change: func(w kernel.World) kernel.World {
			w.Starter.NoNewPrivs = w.Starter.NoNewPrivs && !noNewPrivs
			w.Counts = w.Counts || ownUsers
			return w.Start()
		},
	}, true
}
