package launch

import (
	"encoding/hex"
	"errors"
	"fmt"
	"path"
	"strconv"
	"strings"
	"unicode/utf8"
)

// An entry is one assignment of a unit file.
type entry struct {
	section, key, value string
	file                string // its name, without the folder
	line                int    // the last of its lines, from 1
	dropIn              bool   // of a drop-in
}

func (e entry) String() string {
	return fmt.Sprintf("%s=%s (%s, line %d)", e.key, e.value, e.file, e.line)
}

// maxFile bounds a unit file, in bytes.
const maxFile = 4 << 20

// maxLine is LONG_LINE_MAX of systemd: a longer line, also one of several, ends the reading.
const maxLine = 1 << 20

// maxLines bounds the lines of a unit and its drop-ins.
const maxLines = 4_000

// parse reads a unit file as systemd.syntax(7) says: a line that ends in a
// backslash goes on in the next one, lines that begin with "#" or ";" are
// comments, also in between. Of what systemd passes over with a warning it says
// so; at what makes it give up on the file it gives up too (config_parse).
func parse(file string, b []byte) (all []entry, notes []string, err error) {
	section, number := "", 0
	var joined strings.Builder // of lines that go on in the next
	skip := func(line, why string) {
		notes = append(notes, "systemd ignores a line of "+file+", "+why+": "+line)
	}
	text := lineEnds.Replace(strings.TrimPrefix(string(b), "\ufeff"))
	for line := range strings.SplitSeq(text+"\n", "\n") {
		number++
		trimmed := strings.TrimLeft(line, " \t")
		if strings.HasPrefix(trimmed, "#") || strings.HasPrefix(trimmed, ";") {
			continue
		}
		if more := strings.TrimRight(line, `\`); (len(line)-len(more))%2 == 1 { // an even number escapes itself
			joined.WriteString(line[:len(line)-1] + " ")
			if joined.Len() <= maxLine {
				continue
			}
		}
		if joined.Len()+len(line) > maxLine {
			return all, notes, fmt.Errorf("%s: %w: it has a line of more than %d bytes", file, errUnloadable, maxLine)
		}
		line = strings.TrimSpace(joined.String() + line)
		joined.Reset()
		switch key, value, ok := strings.Cut(line, "="); {
		case line == "":
		case !utf8.ValidString(line):
			return all, notes, fmt.Errorf("%s: %w: it has a line that is not UTF-8: %q", file, errUnloadable, line)
		case strings.HasPrefix(line, "["):
			if !strings.HasSuffix(line, "]") {
				return all, notes, fmt.Errorf("%s: %w: it has the section header %q", file, errUnloadable, line)
			}
			section = line[1 : len(line)-1]
		case !ok:
			skip(line, "which has no =")
		default:
			all = append(all, entry{section, strings.TrimSpace(key), strings.TrimSpace(value), path.Base(file), number, false})
		}
	}
	return all, notes, nil
}

// errUnloadable is the error of a unit that systemd gives up on.
var errUnloadable = errors.New("systemd does not load it")

// lineEnds are what ends a line (read_line_full).
var lineEnds = strings.NewReplacer("\r\n", "\n", "\n\r", "\n", "\r", "\n", "\x00", "\n")

// settings are the assignments of a unit, in the order in which systemd reads
// them.
type settings []entry

// all are the values of a directive since the last empty one, which begins anew.
func (s settings) all(section, key string) []string {
	var values []string
	for _, e := range s.entries(section, key) {
		values = append(values, e.value)
	}
	return values
}

// entries are the assignments of a directive since the last empty one.
func (s settings) entries(section, key string) (all settings) {
	for _, e := range s {
		switch {
		case e.section != section || e.key != key:
		case e.value == "":
			all = nil
		default:
			all = append(all, e)
		}
	}
	return all
}

// lastEntry is the assignment that counts where one does.
func (s settings) lastEntry(key string) (entry, bool) {
	all := s.entries("Service", key)
	if len(all) == 0 {
		return entry{}, false
	}
	return all[len(all)-1], true
}

// last is the value that counts where one does.
func (s settings) last(key string) string { return s.lastOf("Service", key) }

// lastOf is the same of another section.
func (s settings) lastOf(section, key string) string {
	values := s.all(section, key)
	if len(values) == 0 {
		return ""
	}
	return values[len(values)-1]
}

// words are the values of a directive as one list.
func (s settings) words(key string) []string {
	var words []string
	for _, v := range s.all("Service", key) {
		words = append(words, split(v)...)
	}
	return words
}

// is says whether a boolean directive is on: the last value that is one counts.
// An empty one is none, and resets nothing.
func (s settings) is(key string) bool {
	on := false
	for _, e := range s {
		if b, ok := boolean(e.value); ok && e.section == "Service" && e.key == key {
			on = b
		}
	}
	return on
}

// some says whether any of the directives has a value.
func (s settings) some(keys ...string) bool {
	for _, key := range keys {
		if s.last(key) != "" {
			return true
		}
	}
	return false
}

// on says whether any of the boolean directives is on.
func (s settings) on(keys ...string) bool {
	for _, key := range keys {
		if s.is(key) {
			return true
		}
	}
	return false
}

// boolean reads one as parse_boolean() does.
func boolean(v string) (on, ok bool) {
	switch strings.ToLower(v) {
	case "1", "yes", "y", "true", "t", "on":
		return true, true
	case "0", "no", "n", "false", "f", "off":
		return false, true
	}
	return false, false
}

// split takes a value apart as extract_first_word() does with quotes and
// escapes. A quote without its end goes to the end of the value.
func split(s string) []string {
	var words []string
	var b strings.Builder
	var quote rune
	skip := 0
	begun, escaped := false, false
	for i, c := range s {
		switch {
		case i < skip:
		case escaped:
			text, n := unescape(s[i:])
			b.WriteString(text)
			skip, escaped = i+n, false
		case c == '\\':
			escaped, begun = true, true
		case quote != 0 && c == quote:
			quote = 0
		case quote == 0 && (c == '"' || c == '\''):
			quote, begun = c, true
		case quote == 0 && (c == ' ' || c == '\t'):
			if begun {
				words = append(words, b.String())
				b.Reset()
				begun = false
			}
		default:
			b.WriteRune(c)
			begun = true
		}
	}
	if begun {
		words = append(words, b.String())
	}
	return words
}

// unescape is what a backslash makes of what stands behind it (cunescape_one), and how
// many bytes that takes.
func unescape(s string) (text string, n int) {
	if s[0] == 'x' && len(s) > 2 {
		if b, err := hex.DecodeString(s[1:3]); err == nil {
			return string(b), 3
		}
	}
	if len(s) > 2 {
		if b, err := strconv.ParseUint(s[:3], 8, 8); err == nil {
			return string([]byte{byte(b)}), 3
		}
	}
	switch s[0] {
	case 'n':
		return "\n", 1
	case 't':
		return "\t", 1
	case 's':
		return " ", 1
	}
	_, size := utf8.DecodeRuneInString(s)
	return s[:size], size
}
