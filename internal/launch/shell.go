package launch

import (
	"slices"
	"strings"
)

// shellLine takes one simple command of a shell for the wrapper's program. Of anything
// more it is not known what is started.
func (w *Wrap) shellLine(line string) {
	words, ok := shellWords(line)
	if !ok || len(words) == 0 {
		w.Doubt = "the shell's command is more than one program with its arguments"
		return
	}
	w.command(words)
	w.MayFork = w.MayFork || words[0] != "exec"
}

// builtins are words that begin what is no program, in the place of one.
var builtins = strings.Fields("if for while until case function select time eval . source trap ulimit return exit wait command builtin")

// command sets the program to the words of a simple command.
func (w *Wrap) command(words []string) {
	if i := slices.Index(words, mark+"@"); i >= 0 && len(w.args) > 0 && !anyUnexpanded(w.args) {
		words = slices.Concat(words[:i], w.args, words[i+1:])
	}
	for len(words) > 0 {
		name, value, assigns := strings.Cut(words[0], "=")
		switch {
		case words[0] == "exec" && len(words) > 2 && words[1] == "-a" && w.bash: // a name for the program
			words = words[2:]
		case words[0] == "exec" && len(words) > 1 && strings.HasPrefix(words[1], "-"):
			w.Doubt = "what the shell does by exec " + words[1] + " is not looked at"
			return
		case words[0] == "exec":
		case assigns && isName(name):
			w.assign(name, value)
		case unexpanded(words[0]):
			w.Doubt = "what the shell makes of " + strings.ReplaceAll(words[0], mark, "$") + " is not known"
			return
		case slices.Contains(builtins, words[0]):
			w.Doubt = "what the shell does by " + words[0] + " is not looked at"
			return
		default:
			w.Command = words
			return
		}
		words = words[1:]
	}
	w.Doubt = "the shell's command names no program"
}

func (w *Wrap) assign(name, value string) {
	switch {
	case name == "PATH" && unexpanded(value):
		w.Doubt = "what PATH the shell sets is not known"
	case name == "PATH":
		w.Path = value
	case strings.HasPrefix(name, "LISTEN_"):
		w.Closes = true
	}
}

// ShellScript reads the script of a shell that sets things up and ends in a program.
// Of any other it is not known what is started.
func (w Wrap) ShellScript(text string) Wrap {
	w.Script = ""
	lines := strings.Split(strings.ReplaceAll(text, "\\\n", " "), "\n")
	for i, line := range lines {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		words, ok := shellWords(line)
		switch {
		case !ok:
			w.Doubt = "the script does more than to start one program"
			return w
		case setsUp(words):
			w.setUp(words)
			continue
		}
		w.command(words)
		if words[0] != "exec" {
			w.Forks = true
			if strings.TrimSpace(strings.Join(lines[i+1:], "")) != "" {
				w.Doubt = "the script does more than to start one program"
			}
		}
		return w
	}
	w.Doubt = "the script starts no program that can be seen"
	return w
}

// setsUp reports whether a command starts no program, and keeps the script going.
func setsUp(words []string) bool {
	switch words[0] {
	case "set", "export", "umask", "cd", "readonly", ":", "true":
		return true
	}
	for _, w := range words {
		if name, _, assigns := strings.Cut(w, "="); !assigns || !isName(name) {
			return false
		}
	}
	return true
}

func (w *Wrap) setUp(words []string) {
	if words[0] == "cd" && len(words) > 1 {
		w.Dir = words[1]
	}
	for _, word := range words {
		if name, value, assigns := strings.Cut(word, "="); assigns && isName(name) {
			w.assign(name, value)
		}
	}
}

// mark stands in a word for what the shell would put there.
const mark = "\x00"

func unexpanded(word string) bool { return strings.Contains(word, mark) }

func anyUnexpanded(words []string) bool {
	for _, w := range words {
		if unexpanded(w) && w != mark+"@" { // "$@" are the arguments of the program
			return true
		}
	}
	return false
}

// shellWords splits a simple command of sh(1) into its words. ok is false where it is
// more than that: a list, a pipe, a redirection, a substitution of commands.
func shellWords(line string) (words []string, ok bool) {
	var b strings.Builder
	begun, quote := false, byte(0)
	for i := 0; i < len(line); i++ {
		c := line[i]
		switch {
		case quote == '\'' && c != '\'', quote == '"' && !strings.ContainsRune("\"\\$`", rune(c)):
			b.WriteByte(c)
		case quote != 0 && c == quote:
			quote = 0
		case c == '\\' && i+1 < len(line):
			i++
			begun = true
			b.WriteByte(line[i])
		case c == '$' && (i+1 == len(line) || line[i+1] == '('), strings.IndexByte("`|&;<>()*?[\\\n", c) >= 0:
			return nil, false
		case c == '$':
			begun = true
			b.WriteString(mark)
		case c == '\'' || c == '"':
			quote, begun = c, true
		case c == ' ' || c == '\t':
			if begun {
				words = append(words, b.String())
			}
			b.Reset()
			begun = false
		case c == '#' && !begun, c == '~' && !begun, c == '{' && !begun, c == '!' && !begun:
			return nil, false
		default:
			begun = true
			b.WriteByte(c)
		}
	}
	if begun {
		words = append(words, b.String())
	}
	return words, quote == 0
}

// isName reports whether a word is a name that the shell assigns to.
func isName(s string) bool {
	for i, c := range s {
		if c != '_' && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return s != ""
}
