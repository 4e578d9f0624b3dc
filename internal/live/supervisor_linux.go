package live

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/lowport/lowport/internal/facts"
	"golang.org/x/sys/unix"
)

// supervisor finds what supervises this process: the nearest ancestor that is no launcher.
// ENODATA says that that is no supervisor.
func (r reading) supervisor(up lineage) ([]byte, error) {
	for _, p := range up.line {
		if p.Launches {
			continue
		}
		args, err := r.file(fmt.Sprintf("/proc/%d/cmdline", p.PID))
		if err != nil {
			return nil, err
		}
		s := facts.Supervisor{UID: p.UID}
		if s.Kind, s.Service = facts.SupervisorOf(splitArgs(args)); s.Kind == "" {
			return nil, unix.ENODATA
		}
		wd, _ := os.Getwd()
		return line(named(s, wd, os.Getenv))
	}
	return nil, cmp.Or[error](up.err, unix.ENODATA)
}

// named adds what the supervisor calls the service, and the file that starts it, by the working
// directory and the environment of a process of the service. runit and s6 start a service in its
// folder, unless the service changes to another.
func named(s facts.Supervisor, wd string, getenv func(string) string) facts.Supervisor {
	switch s.Kind {
	case "runit", "s6":
		if !filepath.IsAbs(s.Service) && wd != "" && filepath.Base(wd) == filepath.Base(s.Service) {
			s.Service = wd
		}
		if filepath.IsAbs(s.Service) {
			s.Run, s.Execline = script(filepath.Join(s.Service, "run"))
		}
	case "supervisord":
		s.Service = getenv("SUPERVISOR_GROUP_NAME")
		if name := getenv("SUPERVISOR_PROCESS_NAME"); name != s.Service {
			s.Service += ":" + name
		}
	case "pm2":
		s.Service = getenv("pm_id")
	}
	return s
}

// script returns the path of a script, and whether execlineb interprets it. It returns "" for a
// script that cannot be read: what would interpret a line in it is not known then.
func script(path string) (readable string, execline bool) {
	b, err := readPath(path)
	if err != nil {
		return "", false
	}
	first, _, _ := strings.Cut(string(b), "\n")
	return path, strings.HasPrefix(first, "#!") && strings.Contains(first, "execline")
}
