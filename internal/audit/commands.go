package audit

import (
	"path"
	"slices"
	"strings"
)

// cronFields are those before the command: of the time, and the user.
type cronFields struct {
	time int
	user bool
}

// commands returns the paths in root's lines of a crontab, and what its variables have them
// load.
func commands(table []byte, fields cronFields) (runs, loads []string) {
	for line := range strings.Lines(string(table)) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "#") {
			continue
		}
		if name, value, ok := assignment(line); ok {
			loads = append(loads, loaded(name, value, "/root")...)
			continue
		}
		words := strings.Fields(line)
		skip := fields.time
		if strings.HasPrefix(line, "@") {
			skip = 1
		}
		if fields.user {
			if len(words) <= skip || words[skip] != "root" {
				continue
			}
			skip++
		}
		if len(words) > skip {
			runs = append(runs, named(words[skip:], "/root")...)
		}
	}
	return runs, loads
}

// assignment reads a line of a crontab that sets a variable.
func assignment(line string) (name, value string, ok bool) {
	name, value, ok = strings.Cut(line, "=")
	name = strings.TrimSpace(name)
	notName := func(c rune) bool { return c != '_' && (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'z') }
	if !ok || name == "" || strings.ContainsFunc(name, notName) {
		return "", "", false
	}
	return name, strings.Trim(strings.TrimSpace(value), `"'`), true
}

// named returns the files that the words of a command line name, but those that it only
// writes. A word with a slash that is no path from the root folder counts below cwd and below
// every folder that was named before it.
func named(words []string, cwd string) (names []string) {
	folders := []string{cwd}
	for i, w := range words {
		if strings.HasPrefix(w, ">") || i > 0 && strings.HasSuffix(words[i-1], ">") {
			continue
		}
		w = strings.Trim(w, "\"'`();&|{}")
		switch {
		case path.IsAbs(w):
			names = append(names, path.Clean(w))
			if len(folders) < mostFolders {
				folders = append(folders, path.Clean(w))
			}
		case strings.Contains(w, "/") && !strings.ContainsAny(w, "$=:"):
			for _, f := range folders {
				names = append(names, path.Join(f, w))
			}
		}
	}
	return names
}

// mostFolders bounds what one line looks at.
const mostFolders = 8

// loaders are variables that say which files a program runs or loads.
var loaders = strings.Fields(`
	PATH SHELL ENV BASH_ENV ZDOTDIR LD_PRELOAD LD_LIBRARY_PATH LD_AUDIT
	PYTHONPATH PYTHONHOME PYTHONSTARTUP PERL5LIB PERLLIB RUBYLIB GEM_PATH NODE_PATH CLASSPATH TCLLIBPATH R_LIBS`)

// loaded returns the paths in a variable that names what is loaded.
func loaded(name, value, cwd string) (all []string) {
	if !slices.Contains(loaders, name) {
		return nil
	}
	for p := range strings.FieldsFuncSeq(value, func(c rune) bool { return c == ':' || c == ' ' }) {
		switch {
		case path.IsAbs(p):
			all = append(all, path.Clean(p))
		case !strings.ContainsAny(p, "$~") && cwd != "":
			all = append(all, path.Join(cwd, p))
		}
	}
	return all
}

// interpreters are names of programs that run the file which they are told.
var interpreters = strings.Fields(`
	ash bash busybox csh dash fish ksh mksh rbash sh tcsh zsh bun deno expect guile java julia
	lua luajit node nodejs octave perl php pwsh pypy python R Rscript ruby tclsh toybox wish`)

// interprets reports whether a program of that name is one, whatever its version.
func interprets(base string) bool {
	return slices.Contains(interpreters, base) || slices.Contains(interpreters, strings.TrimRight(base, "0123456789.-"))
}

// isShell reports whether a program of that name takes commands as sh does.
func isShell(base string) bool {
	return strings.HasSuffix(base, "sh") || base == "busybox" || base == "toybox"
}

// What a script, or an option, is for an interpreter.
type told struct {
	files  []string // the first of these that is there is the script, or each if options name them
	values []string // options name these, if they are there
	module string   // of python's -m
	code   []string // words of commands that a shell is given
	opaque bool     // it was told something
}

// valued are options whose next word is a file, or several.
var valued = strings.Fields("-r --require --import --loader -cp -classpath --class-path -jar -I -C --rcfile --init-file -f")

// toldTo reads the arguments of an interpreter.
func toldTo(base string, args []string) (t told) {
	if len(args) == 1 {
		t.opaque = strings.ContainsAny(strings.TrimPrefix(args[0], "-"), " :")
		return t
	}
	args = args[1:]
	if (base == "busybox" || base == "toybox") && len(args) > 0 {
		args = args[1:]
	}
	option := false // the word before is an option, of which this may be the value
	for i, a := range args {
		isOption := len(a) > 1 && a[0] == '-'
		switch {
		case option && i > 0 && slices.Contains(valued, args[i-1]):
			t.values = append(t.values, strings.Split(a, ":")...)
			option = false
			continue
		case isOption && gives(base, a):
			if isShell(base) && i+1 < len(args) {
				t.code = strings.Fields(strings.NewReplacer(";", " ; ", "&", " & ", "|", " | ").Replace(args[i+1]))
			}
			return t
		case isOption && strings.HasPrefix(base, "py") && strings.HasPrefix(a, "-m"):
			t.module = strings.TrimPrefix(a, "-m")
			if t.module == "" && i+1 < len(args) {
				t.module = args[i+1]
			}
			return t
		case isOption:
			option = true
			continue
		case a == "-":
			return t
		}
		t.files, t.opaque = append(t.files, a), true
		if !option {
			return t
		}
		option = false
	}
	return t
}

// gives reports whether code follows an option.
func gives(base, option string) bool {
	if strings.HasPrefix(option, "--") {
		return option == "--eval" || option == "--command" || option == "--print"
	}
	switch {
	case isShell(base), strings.HasPrefix(base, "py"):
		return strings.HasSuffix(option, "c")
	case strings.HasPrefix(base, "java"):
		return false
	case strings.HasPrefix(base, "php"):
		return option == "-r"
	}
	return strings.HasSuffix(option, "e") || option == "-E" || option == "-p"
}
