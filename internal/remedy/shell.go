package remedy

import (
	"slices"
	"strings"

	"github.com/lowport/lowport/guard/report"
	"github.com/lowport/lowport/internal/facts"
	"github.com/lowport/lowport/internal/term"
)

// Root says whether this process is root of the machine, as its operator then
// is too: uid 0 where every id is mapped to itself.
func Root(f *facts.Facts) bool {
	ids, okIDs := f.Proc.IDs.Is()
	m, okMap := f.Net.UIDMap.Is()
	return okIDs && okMap && ids.EUID == 0 && m == facts.WholeMap
}

// sudo is a command for root.
func sudo(f *facts.Facts, words ...string) string {
	if Root(f) {
		return Command(words...)
	}
	return Command(append([]string{"sudo"}, words...)...)
}

// again is how to start the program once more the way it was.
func again(f *facts.Facts) (report.Step, bool) {
	if s, ok := supervised(f); ok {
		return restartedBy(f, s), true
	}
	if u, ok := f.Launcher.Unit.Is(); ok {
		return report.Step{Run: Systemctl(Root(f), u, "restart")}, !u.Transient
	}
	exe, okExe := program(f)
	args, okArgs := f.Command.Args.Is()
	if !okExe || !okArgs || len(args) == 0 {
		return report.Step{}, false
	}
	return start(f, exe, args[1:]...), true
}

// start is how the operator starts a program in the place of this one. In a network
// namespace with a name that takes root, who becomes the user then; one without a name
// is that of the shell which started this one.
func start(f *facts.Facts, program string, args ...string) report.Step {
	line := withLibraries(f, append([]string{program}, args...)...)
	enter, okNet := entering(f)
	user, _, okUser := asUser(f)
	if enter == nil || !okNet || !okUser {
		return report.Step{Start: Command(line...)}
	}
	return report.Step{Start: sudo(&facts.Facts{}, slices.Concat(enter, user, []string{"--"}, line)...)}
}

// program is what to start: the file, or the script that it interprets. What is
// elsewhere outside, as in a chroot, is not to be started there.
func program(f *facts.Facts) (string, bool) {
	if f.Launch.Script != "" {
		return f.Launch.Script, true
	}
	p, ok := f.File.Path.Is()
	return p, ok && samePlace(f)
}

// samePlace says whether the operator has the file at the path that it has here,
// unless it is known to be otherwise.
func samePlace(f *facts.Facts) bool {
	return f.File.PathSeenByOperator.State != facts.Absent && f.File.PathSeenByOperator.Value == ""
}

// pathOutside is the path of the file for the operator.
func pathOutside(f *facts.Facts) (string, bool) {
	if p, ok := f.File.PathSeenByOperator.Is(); ok && p != "" {
		return p, true
	}
	p, ok := f.File.Path.Is()
	return p, ok && samePlace(f)
}

// Command joins words into a command line.
func Command(words ...string) string {
	quoted := make([]string, len(words))
	for i, w := range words {
		quoted[i] = term.Quote(w)
	}
	return strings.Join(quoted, " ")
}
