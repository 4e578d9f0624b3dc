package launch

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"unicode/utf8"
)

// A variable is one that the unit sets in the environment of its program.
type variable struct{ name, value string }

// environment returns the variables of Environment= and EnvironmentFile=, whose values are known:
// of the same name the last counts, and those of files come behind (exec_child). Of a file that
// could not be read nothing is known, so that any variable may have another value.
func (u *Unit) environment(root fs.FS) map[string]string {
	all := map[string]string{}
	for _, e := range u.set.entries("Service", "Environment") {
		for _, word := range split(e.value) {
			name, value, ok := strings.Cut(word, "=")
			value, err := u.expand(value)
			if delete(all, name); ok && err == nil {
				all[name] = value
			}
		}
	}
	for _, e := range u.set.entries("Service", "EnvironmentFile") {
		more, err := u.environmentFile(root, e)
		if err != nil {
			clear(all)
		}
		for _, v := range more {
			all[v.name] = v.value
		}
	}
	for _, e := range u.set.entries("Service", "UnsetEnvironment") {
		for _, word := range split(e.value) {
			name, _, _ := strings.Cut(word, "=")
			delete(all, name)
		}
	}
	return all
}

// environmentFiles are read before anything else; one that is missing ends the start.
func environmentFiles(u *Unit, at place) error {
	for _, e := range u.set.entries("Service", "EnvironmentFile") {
		_, err := u.environmentFile(at.root, e)
		switch {
		case errors.As(err, new(*stop)):
			return err
		case errors.Is(err, fs.ErrPermission):
			u.note(fmt.Sprintf("what %s sets could not be read", e))
		case err != nil:
			u.doubt("%s: %v", e, err)
		}
	}
	return nil
}

// environmentFile reads what a line of EnvironmentFile= names, perhaps by a pattern. A *stop says
// that the start ends; another error, what is not known.
func (u *Unit) environmentFile(root fs.FS, e entry) (all []variable, err error) {
	file, optional := strings.CutPrefix(e.value, "-")
	file, err = u.expand(file)
	switch {
	case errors.As(err, new(*unexpandable)):
		return nil, errors.Unwrap(err)
	case err != nil: // systemd passes over it
		u.note(fmt.Sprintf("systemd ignores %s: %v", e, errors.Unwrap(err)))
		return nil, nil
	case !path.IsAbs(file):
		return nil, nil
	}
	names := []string{inside(file)}
	if strings.ContainsAny(file, "*?[") {
		if names, err = glob(root, file); err != nil {
			return nil, err
		}
	}
	if len(names) == 0 && !optional {
		return nil, stops("", "%s: no file fits", e)
	}
	for _, name := range names {
		more, err := readVariables(root, name)
		switch {
		case err == nil:
			all = append(all, more...)
		case !errors.As(err, new(*stop)):
			return all, err
		case !optional:
			return nil, fmt.Errorf("%s %w", e, err)
		}
	}
	return all, nil
}

// readVariables reads one file of variables. A *stop says why systemd does not take it.
func readVariables(root fs.FS, name string) ([]variable, error) {
	info, err := fs.Stat(root, name)
	switch {
	case missing(err):
		return nil, stops("", "is not there")
	case err != nil:
		return nil, errors.New("whether it is there could not be read")
	case info.IsDir():
		return nil, stops("", "is a folder")
	case info.Mode()&fs.ModeCharDevice != 0: // /dev/null
		return nil, nil
	}
	b, err := readFile(root, name)
	if err != nil {
		return nil, err
	}
	return parseVariables(b)
}

// parseVariables reads a file of variables as systemd.exec(5), "EnvironmentFile=", says: values may
// be quoted as for a shell, and go on behind a backslash (parse_env_file_internal).
func parseVariables(b []byte) (all []variable, err error) {
	for text := string(b); text != ""; {
		text = strings.TrimLeft(text, " \t\r\n")
		end := strings.IndexAny(text+"\n", "=\r\n")
		if comment := strings.HasPrefix(text, "#") || strings.HasPrefix(text, ";"); comment || end == len(text) || text[end] != '=' {
			_, text, _ = strings.Cut(text, "\n")
			continue
		}
		v := variable{name: strings.TrimRight(text[:end], " \t")}
		v.value, text = variableValue(text[end+1:])
		if !utf8.ValidString(v.name + v.value) {
			return nil, stops("", "is not UTF-8")
		}
		all = append(all, v)
	}
	return all, nil
}

// variableValue takes the value of a variable from the beginning of a text.
func variableValue(text string) (value, rest string) {
	var b strings.Builder
	var quote byte
	plain := false // a character without quotes was there, behind which quotes are none
	end := 0       // what of it counts: white space at the end does not, if it is not quoted
	for i := 0; i < len(text); i++ {
		c := text[i]
		switch {
		case quote == 0 && (c == '\n' || c == '\r'):
			return b.String()[:end], text[i:]
		case quote == 0 && (c == ' ' || c == '\t'):
			if plain {
				b.WriteByte(c)
			}
			continue
		case quote == 0 && !plain && (c == '"' || c == '\''):
			quote = c
			continue
		case quote != 0 && c == quote:
			quote = 0
		case c == '\\' && quote != '\'' && i+1 < len(text):
			i++
			if quote == '"' && !strings.ContainsRune("\"\\`$\n", rune(text[i])) {
				b.WriteByte('\\')
			}
			if text[i] != '\n' {
				b.WriteByte(text[i])
			}
			plain = plain || quote == 0
		default:
			b.WriteByte(c)
			plain = plain || quote == 0
		}
		end = b.Len()
	}
	return b.String()[:end], ""
}

// variables puts the variables of the unit into a word of a command (replace_env_argv): what "$NAME"
// stands for is split into words, and "${NAME}" may be a part of one. What is not known is marked.
func (u *Unit) variables(word string) []string {
	if name, alone := strings.CutPrefix(word, "$"); alone && !strings.HasPrefix(name, "{") && !strings.HasPrefix(name, "$") {
		value, known := u.env[name]
		if !known {
			return []string{mark}
		}
		return split(value)
	}
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(word, "$")
		b.WriteString(before)
		name, after, closed := strings.Cut(strings.TrimPrefix(rest, "{"), "}")
		switch {
		case !found:
			return []string{b.String()}
		case strings.HasPrefix(rest, "$"):
			after = rest[1:]
			b.WriteByte('$')
		case !strings.HasPrefix(rest, "{") || !closed:
			after = rest
			b.WriteByte('$')
		default:
			value, known := u.env[name]
			if !known {
				value = mark
			}
			b.WriteString(value)
		}
		word = after
	}
}

// maxGlob bounds the folders that are read for a pattern.
const maxGlob = 200

// glob lists the files that fit an absolute pattern of glob(7), as far as that is known.
func glob(root fs.FS, pattern string) (names []string, err error) {
	if strings.ContainsAny(pattern, "{\\") {
		return nil, errors.New("what fits such a pattern is not looked at")
	}
	left := maxGlob
	pattern = strings.ReplaceAll(inside(pattern), "[!", "[^")
	names, err = fs.Glob(counted{root, &left}, pattern)
	switch {
	case err != nil:
		return nil, errors.New("it is no pattern")
	case left < 0:
		return nil, fmt.Errorf("more than %d folders may have what fits", maxGlob)
	}
	parts := strings.Split(pattern, "/")
	hidden := func(name string) bool { // which "*" does not stand for
		for i, is := range strings.Split(name, "/") {
			if strings.HasPrefix(is, ".") && !strings.HasPrefix(parts[i], ".") {
				return true
			}
		}
		return false
	}
	return slices.DeleteFunc(names, hidden), nil
}

// counted is a file system of which so many folders more are read.
type counted struct {
	fs.FS
	left *int
}

func (c counted) ReadDir(name string) ([]fs.DirEntry, error) {
	if *c.left--; *c.left < 0 {
		return nil, errors.New("enough")
	}
	return fs.ReadDir(c.FS, name)
}

func (c counted) Stat(name string) (fs.FileInfo, error) { return fs.Stat(c.FS, name) }
