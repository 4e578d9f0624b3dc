package remedy

import (
	"slices"
	"strings"

	"github.com/lowport/lowport/guard/report"
	"github.com/lowport/lowport/internal/facts"
	"github.com/lowport/lowport/internal/kernel"
	"github.com/lowport/lowport/internal/term"
)

// supervised returns the supervisor that started the program outside of any container. It reports
// false if the name of the service is not known or cannot stand in a command. The systemd
// unit of such a program is that of its supervisor.
func supervised(f *facts.Facts) (facts.Supervisor, bool) {
	s, known := f.Launcher.Supervisor.Is()
	return s, known && f.Launcher.Container.State != facts.Known && isNamed(s)
}

// isNamed reports whether the name of the service is known and can stand in a command.
func isNamed(s facts.Supervisor) bool {
	return s.Service != "" && !strings.HasPrefix(s.Service, "-") && !strings.ContainsAny(s.Service+s.Run, "\n\r")
}

// bySupervisor reports whether the holder of a socket is the service of a supervisor, which would
// start it again. A supervisor of neither root nor the operator may pretend to have any service.
func bySupervisor(f *facts.Facts, s facts.Socket) bool {
	by := s.Ends.Supervisor
	return isNamed(by) && (by.UID == 0 || by.UID == f.Launcher.Operator.Value.UID)
}

// supervisor makes a supervisor that runs as root start the service with an ambient capability,
// by a change to the file that says how the service is started.
func supervisor(w kernel.World, g kernel.Goal) (candidate, bool) {
	f := w.Facts
	s, ok := supervised(f)
	exe, okExe := program(f)
	args, okArgs := f.Command.Args.Is()
	if !ok || !okExe || !okArgs || len(args) == 0 || s.UID != 0 || s.Kind == "pm2" || fromOutside(f) {
		return candidate{}, false
	}
	line, change, ok := withAmbient(w, g)
	edit, okEdit := started(s, slices.Concat(line, withLibraries(f, slices.Concat([]string{exe}, args[1:])...)))
	return candidate{
		Fix: report.Fix{ID: "supervisor", Scope: "unit", Summary: "for the service " + term.Show(s.Service) + " of " + s.Kind, Lasts: "as long as it is started like this",
			Steps: []report.Step{edit, {Run: sudo(f, anew(s)...)}}},
		change: change,
	}, ok && okEdit
}

// started returns the step that tells the supervisor to start a command line as root.
func started(s facts.Supervisor, line []string) (report.Step, bool) {
	if s.Kind == "supervisord" {
		group, name, several := strings.Cut(s.Service, ":")
		text := strings.ReplaceAll(Command(line...), "%", "%%")
		// It reads ";" as a comment also between quotes, and takes words apart as Python's shlex does.
		plain := isPlainName(group) && (!several || isPlainName(name)) && !strings.ContainsAny(text, ";#\n\\")
		return report.Step{Edit: "supervisord's configuration", Content: "[program:" + strings.TrimPrefix(s.Service, group+":") + "]\nuser=root\ncommand=" + text + "\n"}, plain && !several
	}
	if s.Execline {
		return report.Step{Edit: s.Run, Content: Command(line...) + "\n"}, s.Run != "" && !slices.ContainsFunc(line, quotedInExecline)
	}
	return report.Step{Edit: s.Run, Content: "exec " + Command(line...) + "\n"}, s.Run != ""
}

// quotedInExecline reports whether a word would need quotes, which are not the same in a script
// of execlineb as in a shell.
func quotedInExecline(word string) bool { return Command(word) != word }

// anew is the command by which the supervisor starts a service as its files now say.
func anew(s facts.Supervisor) []string {
	if s.Kind == "supervisord" {
		return []string{"supervisorctl", "update", s.Service}
	}
	return restarted(s)
}

// stopSupervised returns the command by which a supervisor stops a service, and leaves it stopped.
func stopSupervised(f *facts.Facts, s facts.Supervisor) string {
	words := map[string][]string{
		"runit": {"sv", "stop"}, "s6": {"s6-svc", "-d"}, "supervisord": {"supervisorctl", "stop"}, "pm2": {"pm2", "stop"},
	}[s.Kind]
	if s.UID == 0 {
		return sudo(f, append(words, s.Service)...)
	}
	return Command(append(words, s.Service)...)
}

// restarted is the command by which the supervisor starts a service again.
func restarted(s facts.Supervisor) []string {
	switch s.Kind {
	case "runit":
		return []string{"sv", "restart", s.Service}
	case "s6":
		return []string{"s6-svc", "-r", s.Service}
	case "supervisord":
		return []string{"supervisorctl", "restart", s.Service}
	default:
		return []string{"pm2", "restart", s.Service}
	}
}

// restartedBy is the step that has the supervisor start its service again: root's command,
// or that of the user who has the supervisor.
func restartedBy(f *facts.Facts, s facts.Supervisor) report.Step {
	if s.UID == 0 {
		return report.Step{Run: sudo(f, restarted(s)...)}
	}
	return report.Step{Run: Command(restarted(s)...)}
}
