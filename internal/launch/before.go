package launch

import (
	"cmp"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/lowport/lowport/caps"
)

// A preparation is what commands before the program may do to it, of which the outcome is not known.
type preparation struct {
	unknown  string // the first command whose outcome is not known, "" for none
	grants   string // the first of those that may give the program what it lacks
	rewrites string // the first of those that are given a path of the program
}

// commandsBefore looks at ExecCondition= and ExecStartPre=. A command that fails ends the start,
// unless it is marked "-".
func commandsBefore(u *Unit, at place) error {
	for _, key := range []string{"ExecCondition", "ExecStartPre"} {
		for _, c := range u.commands(key) {
			switch fails, known := u.failure(at, c); {
			case fails != nil && c.has("-"):
				u.note(c.Line + ": it fails, and systemd goes on")
			case fails != nil:
				return fails
			case !known && c.has("-"):
				u.prepare(at, c, "what it does is not known")
			case !known:
				u.prepare(at, c, "what it does is not known; if it fails, systemd starts nothing")
			}
		}
	}
	return nil
}

// prepare notes a command of which the outcome is not known.
func (u *Unit) prepare(at place, c Command, what string) {
	u.note(c.Line + ": " + what)
	b := &u.before
	b.unknown = cmp.Or(b.unknown, c.Line)
	if c.Root() || at.who.UID == 0 || u.set.some("AmbientCapabilities") || slices.Contains(becomesRoot, path.Base(c.Program)) {
		b.grants = cmp.Or(b.grants, c.Line)
	}
	if c.names(at.command) {
		b.rewrites = cmp.Or(b.rewrites, c.Line)
	}
}

// becomesRoot are the set-ID programs by which a command of a user changes what root may.
var becomesRoot = []string{"sudo", "doas", "pkexec", "su"}

// names reports whether a command is given a file of another one, or a folder that holds one.
func (c Command) names(other Command) bool {
	for _, arg := range c.Argv[1:] {
		for _, word := range strings.FieldsFunc(arg, Separates) {
			inside := func(file string) bool {
				return file == word || strings.HasPrefix(file, strings.TrimSuffix(word, "/")+"/")
			}
			if path.IsAbs(word) && (inside(other.Program) || slices.ContainsFunc(other.Argv, inside)) {
				return true
			}
		}
	}
	return false
}

// Separates reports whether a character ends a word of a command line, as for sh -c.
func Separates(c rune) bool { return strings.ContainsRune(" \t\n'\"`;&|()<>", c) }

// Prepared names the first command before the program of which the outcome is not known: it may make
// what is not there yet.
func (u *Unit) Prepared() string { return outcome(u.before.unknown) }

// MayGrant names the first such command that has privileges: it may give the program what it lacks.
func (u *Unit) MayGrant() string { return outcome(u.before.grants) }

// MayRewrite names the first such command that is given a path of the program: it may take away what
// its file grants.
func (u *Unit) MayRewrite() string { return outcome(u.before.rewrites) }

func outcome(line string) string {
	if line == "" {
		return ""
	}
	return line + ": what it does is not known"
}

// commandsBehind looks at ExecStartPost=, which is run while the program runs: a command that fails
// ends that (service_run_next_control, service_sigchld_event).
func commandsBehind(u *Unit, at place) error {
	for _, c := range u.commands("ExecStartPost") {
		fails, known := u.failure(at, c)
		switch {
		case c.has("-"):
		case !known:
			u.note(c.Line + ": what it does is not known; if it fails, systemd ends the service")
		case fails != nil:
			return ends(fails.status, "%s", fails.why)
		}
	}
	return nil
}

// failure says why a command fails, nil if it succeeds; known is false if that is not known.
func (u *Unit) failure(at place, c Command) (fails *stop, known bool) {
	program, err := u.program(at.root, c.Program)
	if missing(err) {
		return &stop{status: "203/EXEC", why: c.Line + ": " + c.Program + " is not there"}, true
	}
	if u.set.some("NoExecPaths", "InaccessiblePaths", "TemporaryFileSystem") && !c.Bare() && !c.has("-") {
		u.note(c.Line + ": whether it may be executed there is not looked at")
	}
	if status, known := c.exits(program); known && status != 0 {
		return &stop{status: strconv.Itoa(status), why: c.Line + " fails"}, true
	} else if known {
		return nil, true
	}
	name := path.Base(program)
	if name == "setcap" && at.who.UID != 0 && !c.Root() && !u.User && !u.capSet("AmbientCapabilities", 0).Has(caps.SETFCAP) {
		return &stop{status: "1/FAILURE", why: c.Line + " needs root: begin the command with +"}, true
	}
	switch met, known := u.prepares(at.root, name, c.Argv[1:]); {
	case !known, met && !u.mayWrite(at, c) && !slices.Contains([]string{"echo", "sleep", "test"}, name):
		return nil, false
	case !met:
		return &stop{status: "1/FAILURE", why: c.Line + " fails"}, true
	}
	u.note(c.Line + " is assumed to succeed")
	return nil, true
}

// mayWrite reports whether a command may write wherever it likes.
func (u *Unit) mayWrite(at place, c Command) bool {
	confined := u.set.says("ProtectSystem", "strict", "full") || u.set.some("ReadOnlyPaths") || u.set.is("DynamicUser")
	return c.Bare() && c.Root() || !confined && (at.who.UID == 0 || c.Root())
}

// prepares reports whether a small program, such as mkdir, succeeds; root is the file system that
// it works on. known is false for any other program.
func (u *Unit) prepares(root fs.FS, name string, args []string) (does, known bool) {
	there := func(p string) bool {
		_, err := fs.Stat(root, inside(p))
		return err == nil || u.makes(p)
	}
	switch {
	case anyUnexpanded(args):
		return false, false
	case name == "echo", name == "sleep":
		return true, true
	case name == "rm" && len(args) > 0 && (args[0] == "-f" || args[0] == "-rf"):
		return true, true
	case name == "test" && len(args) == 2 && args[0] == "-e":
		return there(args[1]), true
	case name == "mkdir" && len(args) == 2 && args[0] == "-p", name == "install" && len(args) == 2 && args[0] == "-d":
		return true, path.IsAbs(args[1])
	case name == "mkdir" && len(args) == 1:
		return !there(args[0]) && there(path.Dir(args[0])), path.IsAbs(args[0])
	case name == "touch" && len(args) == 1:
		return there(path.Dir(args[0])), path.IsAbs(args[0])
	}
	return false, false
}

// exits returns the status of a command that does nothing but exit: true, false, or a shell that
// is told to. known is false for any other command.
func (c Command) exits(program string) (status int, known bool) {
	words := c.Argv[1:]
	switch path.Base(program) {
	case "true":
		return 0, true
	case "false":
		return 1, true
	case "sh", "bash", "dash":
		if len(words) < 2 || words[0] != "-c" {
			return 0, false
		}
	default:
		return 0, false
	}
	switch line := strings.Fields(words[1]); {
	case len(line) == 1 && (line[0] == "true" || line[0] == ":"):
		return 0, true
	case len(line) == 1 && line[0] == "false":
		return 1, true
	case len(line) == 2 && line[0] == "exit":
		n, err := strconv.ParseUint(line[1], 10, 8)
		return int(n), err == nil
	}
	return 0, false
}

// program looks for a program as systemd does (find_executable).
func (u *Unit) program(root fs.FS, program string) (string, error) {
	if path.IsAbs(program) {
		_, err := fs.Stat(root, inside(program))
		return program, err
	}
	search, _ := u.Path()
	for dir := range strings.SplitSeq(search, ":") {
		if info, err := fs.Stat(root, inside(path.Join(dir, program))); err == nil && info.Mode()&0o111 != 0 && info.Mode().IsRegular() {
			return path.Join(dir, program), nil
		}
	}
	return "", fs.ErrNotExist
}

// servicesPath is the default PATH of services, and where systemd looks for their programs.
const servicesPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// Path returns where systemd looks for a program that is only named (ExecSearchPath=), and
// where what it starts does (PATH).
func (u *Unit) Path() (search, env string) {
	search = servicesPath
	if dirs := u.set.all("Service", "ExecSearchPath"); len(dirs) > 0 {
		search = strings.Join(dirs, ":")
	}
	if env = search; u.env["PATH"] != "" {
		env = u.env["PATH"]
	}
	return search, env
}
