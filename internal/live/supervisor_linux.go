package live

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/lowport/lowport/internal/facts"
	"golang.org/x/sys/unix"
)

// supervisor finds what supervises this process: the nearest ancestor that is no launcher.
// ENODATA says that that is no supervisor.
func (r reading) supervisor() ([]byte, error) {
	all, _, err := r.lineage()
	for _, p := range all {
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
		return line(named(s))
	}
	if err == nil {
		err = unix.ENODATA
	}
	return nil, err
}

// named adds what the supervisor calls the service, and the file that starts it. runit and s6
// start a service in its folder, unless the service changes to another.
func named(s facts.Supervisor) facts.Supervisor {
	switch s.Kind {
	case "runit", "s6":
		wd, err := os.Getwd()
		if !filepath.IsAbs(s.Service) && err == nil && filepath.Base(wd) == filepath.Base(s.Service) {
			s.Service = wd
		}
		if filepath.IsAbs(s.Service) {
			s.Run = filepath.Join(s.Service, "run")
			s.Execline = isExecline(s.Run)
		}
	case "supervisord":
		s.Service = os.Getenv("SUPERVISOR_GROUP_NAME")
		if name := os.Getenv("SUPERVISOR_PROCESS_NAME"); name != s.Service {
			s.Service += ":" + name
		}
	case "pm2":
		s.Service = os.Getenv("pm_id")
	}
	return s
}

// isExecline reports whether a script names execlineb as its interpreter. A script that cannot
// be read is taken for a shell's.
func isExecline(script string) bool {
	b, _ := readPath(script)
	first, _, _ := strings.Cut(string(b), "\n")
	return strings.HasPrefix(first, "#!") && strings.Contains(first, "execline")
}
