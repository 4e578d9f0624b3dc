//go:build linux

package lab

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/lowport/lowport/internal/diff"
	"github.com/lowport/lowport/internal/txtar"
)

// The scenarios are written in a small part of the language of testscript
// (github.com/rogpeppe/go-internal): a line is a command and its words, and a section is
// a file. This plays them. With testscript itself every program that imports lowport
// would have it in the graph of its modules.

// A player is a test that plays a script.
type player interface {
	Skip(...any)
	Fatal(...any)
	Log(...any)
}

// A play is a script while it is played.
type play struct {
	dir    string // its sections, as files
	stdout string // what the last claim printed

	// What a line of the script may say; out is what later lines may look at.
	commands map[string]func(args []string) (out string, err error)
}

// playAll plays each script of a folder as a test of its own.
func playAll(t *testing.T, dir string, play func(t player, file string)) {
	files, err := filepath.Glob(filepath.Join(dir, "*.txtar"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no scripts in %s: %v", dir, err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			t.Parallel()
			play(t, file)
		})
	}
}

// open writes the sections of a script as files of dir, and returns its lines.
func open(file, dir string) (lines []string, err error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	archive := txtar.Parse(text)
	for _, section := range archive.Files {
		path := filepath.Join(dir, section.Name)
		if _, err := os.Lstat(path); err == nil {
			return nil, fmt.Errorf("section %s is there twice", section.Name)
		}
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return nil, err
		}
		if err := os.WriteFile(path, section.Data, 0o644); err != nil {
			return nil, err
		}
	}
	return strings.Split(string(archive.Comment), "\n"), nil
}

// perform executes the lines up to the first that fails, and logs them if one does.
func (p *play) perform(t player, lines []string) error {
	var log strings.Builder
	for i, line := range lines {
		words, err := split(line)
		if err == nil && len(words) == 0 {
			fmt.Fprintln(&log, line)
			continue
		}
		fmt.Fprintln(&log, ">", line)
		if err == nil {
			err = p.do(words, &log)
		}
		if err != nil {
			t.Log(log.String())
			return fmt.Errorf("line %d: %w", i+1, err)
		}
	}
	return nil
}

// do executes one line.
func (p *play) do(words []string, log *strings.Builder) error {
	negated := words[0] == "!"
	if negated {
		words = words[1:]
	}
	switch {
	case len(words) == 2 && words[0] == "stdout":
		return p.matches(words[1], !negated)
	case negated:
		return errors.New(`"!" stands before "stdout" only`)
	case len(words) == 3 && words[0] == "cmp" && words[1] == "stdout":
		want, err := os.ReadFile(filepath.Join(p.dir, words[2]))
		if err == nil && string(want) != p.stdout {
			err = errors.New("stdout differs from " + words[2] + "\n" + diff.Of(string(want), p.stdout))
		}
		return err
	case p.commands[words[0]] == nil:
		return fmt.Errorf("no command %q with %d words", words[0], len(words)-1)
	}
	out, err := p.commands[words[0]](words[1:])
	if p.stdout = out; out != "" {
		fmt.Fprintf(log, "[stdout]\n%s", out)
	}
	return err
}

// matches checks whether a regular expression is found in what was printed; "^" and "$"
// are the ends of a line.
func (p *play) matches(pattern string, want bool) error {
	re, err := regexp.Compile("(?m)" + pattern)
	switch found := err == nil && re.MatchString(p.stdout); {
	case err != nil:
		return err
	case want && !found:
		return fmt.Errorf("no match for %q in stdout", pattern)
	case !want && found:
		return fmt.Errorf("unexpected match for %q in stdout", pattern)
	}
	return nil
}

// split splits a line at spaces. What is between single quotes is part of one word, and
// two of them in there are one of it; "#" begins a comment.
func split(line string) (all []string, err error) {
	word, inWord, quoted := "", false, false
	for i := 0; i < len(line); i++ {
		c := line[i]
		switch {
		case quoted && c == '\'' && strings.HasPrefix(line[i+1:], "'"):
			word += "'"
			i++
		case c == '\'':
			quoted, inWord = !quoted, true
		case quoted:
			word += string(c)
		case c == ' ' || c == '\t':
			if inWord {
				all = append(all, word)
			}
			word, inWord = "", false
		case c == '#' && !inWord:
			return all, nil
		default:
			word, inWord = word+string(c), true
		}
	}
	if quoted {
		return nil, errors.New("a quote that does not end")
	}
	if inWord {
		all = append(all, word)
	}
	return all, nil
}

func TestSplit(t *testing.T) {
	for line, want := range map[string][]string{
		"":                          nil,
		"# all of it":               nil,
		"refused 77 nosuid-mount":   {"refused", "77", "nosuid-mount"},
		"  a\tb  # c":               {"a", "b"},
		"a#b":                       {"a#b"},
		"stdout '^a  b$'":           {"stdout", "^a  b$"},
		"let name 'it''s \\042 $x'": {"let", "name", `it's \042 $x`},
		"allowed ''":                {"allowed", ""},
		"a'b c'd":                   {"ab cd"},
	} {
		got, err := split(line)
		if d := diff.Of(want, got); d != "" || err != nil {
			t.Errorf("%s: %v\n%s", line, err, d)
		}
	}
	if got, err := split("a 'b"); err == nil {
		t.Errorf("no end of a quote: %q", got)
	}
}
