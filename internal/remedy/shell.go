package remedy

import (
	"slices"
	"strings"

	"github.com/lowport/lowport/guard/report"
	"github.com/lowport/lowport/internal/facts"
	"github.com/lowport/lowport/internal/term"
)

// Root reports whether this process is root of the machine: uid 0 of a user namespace that maps
// every id to itself. Then its operator is root too.
func Root(f *facts.Facts) bool {
	ids, okIDs := f.Proc.IDs.Is()
	m, okMap := f.Net.UIDMap.Is()
	return okIDs && okMap && ids.EUID == 0 && m == facts.WholeMap
}

// Bare reports whether the commands of root are printed without sudo(8): it is root who runs them,
// or no sudo is installed where they are run.
func Bare(f *facts.Facts) bool { return Root(f) || noSudo(f) }

func noSudo(f *facts.Facts) bool {
	tools, known := f.Launcher.Tools.Is()
	o, knownOperator := f.Launcher.Operator.Is()
	same := knownOperator && o.SameRoot || !knownOperator && !f.Launcher.Sandbox.Value &&
		f.File.PathSeenByOperator.State == facts.Known && f.File.PathSeenByOperator.Value == ""
	inImage := f.Launcher.Container.State == facts.Known && !keepsFiles(f) // whose fixes are made outside
	return known && !tools.Sudo && same && !inImage
}

// sudo returns a command that root runs.
func sudo(f *facts.Facts, words ...string) string {
	if Bare(f) {
		return Command(words...)
	}
	return Command(append([]string{"sudo"}, words...)...)
}

// sudoStart returns a command with which root starts the program in place of this process, whoever
// that is, in the environment of the shell. sudo(8) would replace it otherwise (env_reset).
func sudoStart(f *facts.Facts, words ...string) string {
	if noSudo(f) {
		return Command(words...)
	}
	return Command(append([]string{"sudo", "-E"}, words...)...)
}

// sudoChanges says what sudo -E does not keep of the environment, as far as the fix does not restore it.
func sudoChanges(f *facts.Facts) string {
	if noSudo(f) {
		return ""
	}
	return "with sudo's PATH and USER"
}

// again returns the step that starts the program once more as it was started.
func again(f *facts.Facts) (report.Step, bool) {
	if s, ok := supervised(f); ok {
		return restartedBy(f, s), true
	}
	if u, ok := f.Launcher.Unit.Is(); ok {
		return restartUnit(f, u), !u.Transient
	}
	exe, okExe := program(f)
	args, okArgs := f.Command.Args.Is()
	if !okExe || !okArgs || len(args) == 0 {
		return report.Step{}, false
	}
	return start(f, exe, args[1:]...), true
}

// restartUnit returns the step that restarts our unit. One that systemd starts anew by itself may
// have reached its start limit, which refuses a restart until it is reset (systemctl(1)).
func restartUnit(f *facts.Facts, u facts.Unit) report.Step {
	restart := Systemctl(Bare(f), u, "restart")
	if slices.Contains(f.Launcher.UnitFilters.Value, facts.Restarts) {
		restart = Systemctl(Bare(f), u, "reset-failed") + "; " + restart
	}
	return report.Step{Run: restart}
}

// start returns the step with which the operator starts a program instead of this one. An operator
// who is another user, and whoever enters a network namespace by its name, becomes the user
// first. A namespace without a name is that of the shell that started this process.
func start(f *facts.Facts, program string, args ...string) report.Step {
	line := withLibraries(f, append([]string{program}, args...)...)
	enter, okNet := entering(f)
	user, _, okUser := asUser(f)
	o, known := f.Launcher.Operator.Is()
	ids, okIDs := f.Proc.IDs.Is()
	other := known && okIDs && o.UID != ids.UID && !o.OtherUsers
	if !okUser || !okNet || enter == nil && !other {
		return report.Step{Start: Command(line...)}
	}
	return report.Step{Start: sudoStart(f, slices.Concat(enter, user, []string{"--"}, line)...)}
}

// program returns the file to start, or the script that it interprets. It reports false if the
// operator does not have the file at that path, as outside of a chroot.
func program(f *facts.Facts) (string, bool) {
	if f.Launch.Script != "" {
		return f.Launch.Script, true
	}
	p, ok := f.File.Path.Is()
	return p, ok && samePlace(f)
}

// samePlace reports whether the operator has the file at the path that it has here, as far as
// that is known.
func samePlace(f *facts.Facts) bool {
	return f.File.PathSeenByOperator.State != facts.Absent && f.File.PathSeenByOperator.Value == ""
}

// pathOutside returns the path at which the operator has the file.
func pathOutside(f *facts.Facts) (string, bool) {
	if p, ok := f.File.PathSeenByOperator.Is(); ok && p != "" {
		return p, true
	}
	p, ok := f.File.Path.Is()
	return p, ok && samePlace(f)
}

// Command quotes words and joins them into a command line.
func Command(words ...string) string {
	quoted := make([]string, len(words))
	for i, w := range words {
		quoted[i] = term.Quote(w)
	}
	return strings.Join(quoted, " ")
}
