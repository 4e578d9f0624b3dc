package facts

import (
	"path"
	"strings"
)

// A Supervisor is a manager other than systemd that started this process, and starts it again.
type Supervisor struct {
	Kind     string // "runit", "s6", "supervisord" or "pm2"
	UID      uint32
	Service  string // what its own commands call the service
	Run      string // the file that says how the service is started, "" where it is not known
	Execline bool   `json:",omitempty"` // which is no shell script, but one of execlineb
}

// SupervisorOf tells of a process with these arguments which kind of supervisor it is, and
// what it says of its service; "" for none.
func SupervisorOf(args []string) (kind, service string) {
	if len(args) == 0 {
		return "", ""
	}
	switch name := path.Base(args[0]); {
	case name == "runsv" && len(args) > 1:
		return "runit", args[1]
	case name == "s6-supervise" && len(args) > 1:
		return "s6", args[1]
	case name == "supervisord", strings.HasPrefix(name, "python") && len(args) > 1 && path.Base(args[1]) == "supervisord":
		return "supervisord", ""
	case strings.HasPrefix(args[0], "PM2 v") && strings.Contains(args[0], "God Daemon"):
		return "pm2", ""
	}
	return "", ""
}
