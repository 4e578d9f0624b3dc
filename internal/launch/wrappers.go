package launch

import (
	"cmp"
	"errors"
	"slices"
	"strconv"
	"strings"
)

// wrappers are the commands that run another, by the last element of their path:
// those of util-linux, coreutils, libc, dpkg, runit, s6, and the inits and user changers
// of containers. The options are those of their manual pages.
var wrappers = map[string]wrapper{
	"taskset": {flags: "ac", longs: "all-tasks cpu-list", operands: 1, apply: firstCPU},
	"nice":    {flags: "0123456789", values: "n", longVals: "adjustment"},
	"ionice":  {flags: "t", values: "cn", longs: "ignore", longVals: "class classdata", apply: ioClass},
	"chrt": {flags: "abdfioRv", values: "TPD", longs: "all-tasks batch deadline fifo idle other rr reset-on-fork verbose",
		longVals: "sched-runtime sched-period sched-deadline", operands: 1, apply: realtime},
	"env": {flags: "i0v", values: "uC", longs: "ignore-environment null debug", longVals: "unset chdir", apply: environment},
	"timeout": {flags: "v", values: "ks", longs: "foreground preserve-status verbose", longVals: "kill-after signal",
		operands: 1, forks: true},
	"setarch": {flags: "3BFILRSTXZv", longs: arch32 + " verbose", apply: func(w *Wrap, o options) error {
		w.persona = slices.ContainsFunc(o.set, func(is option) bool { return is.name != "v" && is.name != "verbose" })
		return nil
	}},
	"numactl": {values: "NCmip", flags: "l", longVals: "cpunodebind physcpubind membind interleave preferred", longs: "localalloc", apply: nodes},
	"stdbuf":  {values: "ioe", longVals: "input output error"},
	"nohup":   {},
	"setsid":  {flags: "cfw", longs: "ctty fork wait", apply: session},

	"catatonit": {flags: "gP", permutes: true, strict: true, forks: true, apply: func(w *Wrap, _ options) error {
		w.Passes = true
		return nil
	}},
	"tini":      {flags: "svwgl", values: "pe", forks: true},
	"dumb-init": {flags: "cv", values: "r", longs: "single-child verbose", longVals: "rewrite", forks: true},

	"gosu":         {operands: 1, apply: firstIsUser},
	"su-exec":      {operands: 1, apply: firstIsUser},
	"setuidgid":    {operands: 1, apply: firstIsUser},
	"s6-setuidgid": {operands: 1, apply: firstIsUser},
	"chpst":        {flags: "vPV012", values: "uUbe/CnlLmdofprct", apply: chpst},
	"runuser":      {flags: "mplP", values: "ugGsc", longs: "login preserve-environment pty", longVals: "user group supp-group shell command", permutes: true, forks: true, apply: runuser},
	"su":           {flags: "mplP", values: "cgGs", longs: "login preserve-environment pty", longVals: "command group supp-group shell", permutes: true, forks: true, apply: su},
	"sudo":         {flags: "EHnbPSkK", values: "ugCDhprRTt", longs: "non-interactive preserve-env set-home", longVals: "user group chdir", forks: true, apply: sudo},
	"start-stop-daemon": {permutes: true, flags: "SbmoqtvCi", values: "caxprsgndukPIRNKO",
		longs:    "start background make-pidfile oknodo quiet test verbose no-close notify-await",
		longVals: "chuid startas exec pidfile retry signal group name user chdir umask nicelevel procsched iosched output chroot", apply: daemon},

	"sh": shell, "dash": shell, "bash": bash, "ash": shell,

	"setpriv": {longs: "clear-groups keep-groups init-groups nnp no-new-privs reset-env",
		longVals: "ruid euid reuid rgid egid regid groups inh-caps ambient-caps bounding-set securebits pdeathsig selinux-label apparmor-profile", apply: setpriv},
}

// arches are other names of setarch(8).
var arches = strings.Fields("i386 i486 i586 i686 athlon linux32 linux64 x86_64 uname26")

const arch32 = "32bit fdpic-funcptrs short-inode addr-compat-layout addr-no-randomize whole-seconds sticky-timeouts read-implies-exec mmap-page-zero 3gb 4gb uname-2.6"

// firstCPU doubts a mask without the first processor, which is there anywhere.
func firstCPU(w *Wrap, o options) error {
	mask := o.operands[0]
	if o.has("c", "cpu-list") {
		if first, _, _ := strings.Cut(strings.Split(mask, ",")[0], "-"); first != "0" {
			w.Doubt = "whether this machine has the processors " + mask + " is not looked at"
		}
		return nil
	}
	n, err := strconv.ParseUint(strings.TrimPrefix(mask, "0x"), 16, 64)
	if err != nil || n&1 == 0 {
		w.Doubt = "whether this machine has the processors of the mask " + mask + " is not looked at"
	}
	return nil
}

func ioClass(w *Wrap, o options) error {
	if class := o.last("c", "class"); !slices.Contains([]string{"", "2", "3", "best-effort", "idle"}, class) && !o.has("t", "ignore") {
		w.Refused = "the class " + class + " of ionice is root's"
	}
	return nil
}

func realtime(w *Wrap, o options) error {
	if !o.has("o", "b", "i", "other", "batch", "idle") {
		w.Refused, w.realtime = "a real-time policy is root's", true
	}
	return nil
}

// environment reads the assignments before the program. What PATH they leave decides
// where the program is looked for.
func environment(w *Wrap, o options) error {
	if o.has("i", "ignore-environment") {
		w.Closes, w.Path = true, defaultPath
	}
	w.Dir = o.last("C", "chdir")
	for len(w.Command) > 0 && (strings.Contains(w.Command[0], "=") || w.Command[0] == "-") {
		name, value, assigns := strings.Cut(w.Command[0], "=")
		switch {
		case !assigns:
			w.Closes, w.Path = true, defaultPath
		case name == "PATH":
			w.Path = value
		case strings.HasPrefix(name, "LISTEN_"):
			w.Closes = true
		}
		w.Command = w.Command[1:]
	}
	if slices.ContainsFunc(o.set, func(is option) bool {
		return (is.name == "u" || is.name == "unset") && strings.HasPrefix(is.value, "LISTEN_")
	}) {
		w.Closes = true
	}
	if slices.ContainsFunc(o.set, func(is option) bool { return (is.name == "u" || is.name == "unset") && is.value == "PATH" }) {
		w.Path = defaultPath
	}
	return nil
}

// defaultPath is where execvp(3) looks without PATH.
const defaultPath = "/bin:/usr/bin"

func nodes(w *Wrap, o options) error {
	for _, is := range o.set {
		if first, _, _ := strings.Cut(strings.Split(is.value, ",")[0], "-"); is.value != "" && first != "0" && first != "all" {
			w.Doubt = "whether this machine has the nodes or processors " + is.value + " is not looked at"
		}
	}
	return nil
}

// session forks where setsid(1) leads a process group, as what systemd starts does.
func session(w *Wrap, o options) error {
	forks, waits := o.has("f", "fork"), o.has("w", "wait")
	w.Forks, w.MayFork = forks, true
	w.Leaves, w.Leader = forks && !waits, !forks && !waits
	return nil
}

// firstIsUser reads USER or USER:GROUP.
func firstIsUser(w *Wrap, o options) error {
	w.User, w.Group, _ = strings.Cut(o.operands[0], ":")
	w.SetsGroups = true
	return nil
}

func chpst(w *Wrap, o options) error {
	w.User, w.Group, _ = strings.Cut(o.last("u"), ":")
	w.SetsGroups = w.User != ""
	if strings.Contains(w.Group, ":") {
		w.Doubt = "several groups of chpst are not looked at"
	}
	if o.has("/", "l", "L", "e", "U") {
		w.Doubt = "what chpst changes by -/, -l, -L, -e or -U is not looked at"
	}
	w.Dir = o.last("C")
	return nil
}

func runuser(w *Wrap, o options) error {
	w.Account = Account{User: o.last("u", "user"), Group: o.last("g", "group")}
	w.Refused, w.asks = "runuser may only be used by root", true
	switch {
	case w.User == "":
		return su(w, o)
	case o.has("G", "supp-group", "l", "login"):
		w.Doubt = "what runuser does by its other options is not looked at"
	}
	return nil
}

// su runs a command line by the user's shell.
func su(w *Wrap, o options) error {
	w.Refused, w.asks = cmp.Or(w.Refused, "su asks for a password"), true
	line := o.last("c", "command")
	if w.User = "root"; len(w.Command) > 0 {
		w.User = w.Command[0]
		w.Command = w.Command[1:]
	}
	if w.User == "-" || o.has("l", "login", "G", "supp-group") || line == "" {
		w.Doubt = "what the user's login shell does is not known"
		return nil
	}
	w.Group = o.last("g", "group")
	w.shellLine(line)
	return nil
}

func sudo(w *Wrap, o options) error {
	w.Account = Account{User: cmp.Or(o.last("u", "user"), "root"), Group: o.last("g", "group")}
	w.Closes, w.Dir = true, o.last("D", "chdir")
	w.Sets = Sets{Inheritable: []string{"-all"}}
	w.Unsure, w.asks = "whether sudo is allowed is not known", true
	if o.has("b", "i", "s", "R", "T", "h") {
		w.Doubt = "what sudo does by its other options is not looked at"
	}
	return nil
}

// daemon reads start-stop-daemon(8): the program is the value of an option.
func daemon(w *Wrap, o options) error {
	program := cmp.Or(o.last("a", "startas"), o.last("x", "exec"))
	switch {
	case !o.has("S", "start"):
		w.Doubt = "start-stop-daemon is not told to start"
	case program == "":
		return errNoProgram
	case !o.has("x", "exec", "p", "pidfile", "u", "user", "n", "name"):
		return errors.New("it is not told which running program to look for")
	case o.has("t", "test", "r", "chroot"):
		w.Doubt = "start-stop-daemon does more than to start it"
	case o.has("u", "user", "n", "name", "p", "pidfile"):
		w.Doubt = "start-stop-daemon starts nothing where the program runs already"
	}
	w.User, w.Group, _ = strings.Cut(o.last("c", "chuid"), ":")
	if g := o.last("g", "group"); g != "" {
		w.Group = g
	}
	w.Forks = o.has("b", "background")
	w.Leaves = w.Forks
	w.Dir = o.last("d", "chdir")
	w.Command = append([]string{program}, w.Command...)
	return nil
}

func setpriv(w *Wrap, o options) error {
	w.Account = Account{User: o.last("reuid"), Group: o.last("regid"), Keeps: true,
		SetsGroups: o.has("clear-groups", "init-groups", "groups")}
	w.NoNewPrivs = o.has("nnp", "no-new-privs")
	w.Securebits = o.last("securebits")
	for _, is := range o.set {
		switch is.name {
		case "bounding-set":
			w.Bounding = append(w.Bounding, is.value)
		case "inh-caps":
			w.Inheritable = append(w.Inheritable, is.value)
		case "ambient-caps":
			w.Ambient = append(w.Ambient, is.value)
		}
	}
	if o.has("ruid", "euid", "rgid", "egid", "securebits", "selinux-label", "apparmor-profile") {
		w.Doubt = "what setpriv changes by its other options is not looked at"
	}
	if o.has("reset-env") {
		w.Closes, w.Path = true, "/usr/local/bin:/bin:/usr/bin"
	}
	return nil
}

// bash is a shell that knows exec -a.
var bash = wrapper{flags: shell.flags, values: shell.values, longs: shell.longs, apply: func(w *Wrap, o options) error {
	w.bash = true
	return shell.apply(w, o)
}}

// shell reads what a shell is given: a line after -c, or the name of a script.
var shell = wrapper{flags: "ceuxfhmnvCEP", values: "o", longs: "norc noprofile posix", apply: func(w *Wrap, o options) error {
	switch {
	case len(w.Command) == 0:
		w.Doubt = "the shell reads its commands from elsewhere"
	case o.has("c"):
		w.args = w.Command[min(2, len(w.Command)):] // the first is $0
		w.shellLine(w.Command[0])
	default:
		w.Script, w.args, w.Command = w.Command[0], w.Command[1:], nil
	}
	return nil
}}
