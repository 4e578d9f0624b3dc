package remedy

import (
	"slices"
	"strings"

	"github.com/lowport/lowport/internal/facts"
)

// noTraces is what file capabilities cost a Go program: under AT_SECURE its runtime sets
// GOTRACEBACK to none (runtime.secure).
const noTraces = "a crash then prints no stack trace"

// secured reports whether execve already sets AT_SECURE for the program, so that capabilities
// on its file cost nothing new.
func secured(f *facts.Facts) bool { return f.Proc.Secure.Value }

// libraries returns the ways by which the program finds libraries and which it would lose under
// AT_SECURE (ld.so(8)).
func libraries(f *facts.Facts) []string {
	if secured(f) {
		return nil
	}
	return f.Command.Loader.Value.Needs
}

// breaks reports whether the program would not start under AT_SECURE, since its loader
// would not find a library.
func breaks(f *facts.Facts) bool {
	return !f.Command.Loader.Value.Maybe && slices.ContainsFunc(libraries(f), isNeeded)
}

// isNeeded reports whether a program needs the libraries found that way to start.
func isNeeded(way string) bool { return way != "LD_PRELOAD" }

// price says what capabilities on the file take from the program, "" for nothing.
func price(f *facts.Facts) string {
	if secured(f) {
		return ""
	}
	price := noTraces
	if lost := libraries(f); len(lost) > 0 {
		price += ", and its loader ignores " + strings.Join(lost, " and ")
	}
	return price
}

// withLibraries adds to a command line the variables that the program's loader heeds, since
// sudo(8) removes them.
func withLibraries(f *facts.Facts, line ...string) []string {
	vars := f.Command.Loader.Value.Vars
	if len(vars) == 0 || f.Launcher.Unit.State == facts.Known { // the unit sets its own
		return line
	}
	return slices.Concat([]string{"env"}, vars, line)
}
