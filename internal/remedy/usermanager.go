package remedy

import (
	"fmt"
	"path"
	"strconv"
	"strings"

	"github.com/lowport/lowport/guard/report"
	"github.com/lowport/lowport/internal/facts"
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
