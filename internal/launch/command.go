package launch

import (
	"errors"
	"fmt"
	"path"
	"strings"
)

// A Command is one line of ExecStart= or of its kind.
type Command struct {
	Line    string   // as the unit has it
	Marks   string   // "+", "-!" …
	Program string   // an absolute path, or a name to search
	Argv    []string // the program's arguments with its name first

	own bool // a user's own manager starts it
}

func (c Command) has(mark string) bool { return strings.Contains(c.Marks, mark) }

// Root reports whether the command is root's, whatever User= says, as it keeps the user of the
// manager: "+" and "!" do, and "!!" only where the kernel has no ambient capabilities.
func (c Command) Root() bool { return !c.own && (c.has("+") || strings.Count(c.Marks, "!") == 1) }

// Bare reports whether none of the unit's confinement applies ("+").
func (c Command) Bare() bool { return c.has("+") }

// commands reads the lines of a directive such as ExecStart=.
func (u *Unit) commands(key string) (all []Command) {
	for _, e := range u.set.entries("Service", key) {
		more, _ := u.commandsOf(e) // it was read before, see fatal
		all = append(all, more...)
	}
	return all
}

// commandsOf reads one line. Where systemd does not take it, that is an error, unless the
// line begins with "-": then it is passed over (config_parse_exec).
func (u *Unit) commandsOf(e entry) (all []Command, err error) {
	lines := commandLines(e.value)
	for i, words := range lines {
		c, err := u.command(words)
		if i == len(lines)-1 && err == nil && openQuote(e.value) { // it goes on to the end of the value
			err = errors.New("a quote has no end")
		}
		var later *unexpandable
		switch {
		case errors.As(err, &later):
			u.doubt("%s: %v", e, later)
		case err != nil && c.has("-"):
			u.note(fmt.Sprintf("systemd ignores %s: %v", e, err))
			continue
		case err != nil:
			return nil, err
		}
		c.Line = e.String()
		all = append(all, c)
	}
	return all, nil
}

// openQuote reports whether a quote in a value has no end (extract_first_word).
func openQuote(value string) bool {
	var quote rune
	escaped := false
	for _, c := range value {
		switch {
		case escaped:
			escaped = false
		case c == '\\':
			escaped = true
		case quote != 0 && c == quote:
			quote = 0
		case quote == 0 && (c == '"' || c == '\''):
			quote = c
		}
	}
	return quote != 0
}

// commandLines splits a value at words that are a lone semicolon.
func commandLines(value string) (lines [][]string) {
	var line []string
	for _, word := range split(value) {
		if word == ";" {
			lines, line = append(lines, line), nil
			continue
		}
		line = append(line, word)
	}
	if len(line) > 0 || len(lines) == 0 {
		lines = append(lines, line)
	}
	return lines
}

func (u *Unit) command(words []string) (c Command, err error) {
	if len(words) == 0 {
		return c, errors.New("it names no program")
	}
	c.own = u.User
	rest := words[0]
	for rest != "" && strings.IndexByte("-@:+!", rest[0]) >= 0 {
		mark := rest[:1]
		switch {
		case mark == "!" && c.has("!!"), mark == "!" && c.has("+"), mark == "+" && c.has("!"), mark != "!" && c.has(mark):
			return c, fmt.Errorf("the marks %s%s exclude each other", c.Marks, mark)
		}
		c.Marks += mark
		rest = rest[1:]
	}
	if c.Program, err = u.expand(rest); err != nil {
		return c, err
	}
	switch {
	case c.Program == "":
		return c, errors.New("it names no program")
	case !path.IsAbs(c.Program) && strings.Contains(c.Program, "/"):
		return c, fmt.Errorf("%s is neither a name nor an absolute path", c.Program)
	case strings.HasSuffix(c.Program, "/"):
		return c, fmt.Errorf("%s is a folder", c.Program)
	}
	args := words[1:]
	if c.Argv = []string{c.Program}; c.has("@") {
		if len(args) == 0 {
			return c, errors.New("behind @ a second word is the program's own name")
		}
		args = args[1:]
	}
	for _, arg := range args {
		if arg, err = u.expand(arg); err != nil {
			return c, err
		}
		if c.has(":") {
			c.Argv = append(c.Argv, arg)
			continue
		}
		c.Argv = append(c.Argv, u.variables(arg)...)
	}
	return c, nil
}

// Main is the command of ExecStart= that is predicted: the first, or the one of the
// program that is named.
func (u *Unit) Main(program string) (Command, error) {
	all := u.commands("ExecStart")
	switch {
	case len(all) == 0:
		return Command{}, fmt.Errorf("%s has no ExecStart=", u.Name)
	case len(all) > 1 && u.set.last("Type") != "oneshot":
		return Command{}, fmt.Errorf("%s: systemd does not load a service with more than one ExecStart=, unless it is Type=oneshot", u.Name)
	}
	for _, c := range all {
		if program != "" && c.Program == program {
			return c, nil
		}
	}
	for len(all) > 1 && program == "" { // what does nothing is not meant
		if status, known := all[0].exits(all[0].Program); !known || status != 0 && !all[0].has("-") {
			break
		}
		all = all[1:]
	}
	for _, c := range all[1:] {
		if c.Program != all[0].Program && program == "" {
			u.doubt("%s is one of several programs, and which of them is meant is not said", c.Line)
		}
	}
	return all[0], nil
}
