package launch

import (
	_ "embed"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
)

//go:embed directives.txt
var directivesText string

// A directive is one that systemd knows.
type directive struct {
	boolean bool
	since   int // the version that has it first, 0 for 249 or before
}

// directives are all of them, by section and name.
var directives = func() map[string]directive {
	all := map[string]directive{}
	for line := range strings.Lines(directivesText) {
		words := strings.Fields(line)
		if words[0] == "#" {
			continue
		}
		var d directive
		for _, w := range words[1:] {
			if w == "bool" {
				d.boolean = true
				continue
			}
			_, _ = fmt.Sscan(w, &d.since)
		}
		all[words[0]] = d
	}
	return all
}()

// enums are the values of directives that take one of a few. A "+" before one says that
// systemd has it since the version behind the colon.
var enums = map[string][]string{
	"ProtectSystem":        {"bool", "full", "strict"},
	"ProtectHome":          {"bool", "read-only", "tmpfs"},
	"ProtectProc":          {"noaccess", "invisible", "ptraceable", "default"},
	"ProcSubset":           {"all", "pid"},
	"PrivateTmp":           {"bool", "+disconnected:257"},
	"PrivateUsers":         {"bool", "+self:257", "+identity:257", "+full:258", "+managed:260"},
	"ProtectControlGroups": {"bool", "+private:257", "+strict:257"},
	"ProtectHostname":      {"bool", "+private:258"},
	"MountFlags":           {"shared", "slave", "private"},
	"Type":                 {"simple", "forking", "exec", "oneshot", "dbus", "notify", "idle", "+notify-reload:253"},
	"KeyringMode":          {"inherit", "private", "shared"},
	"StandardInput":        {"null", "data", "tty", "tty-force", "tty-fail", "socket", "file:", "fd:", "fd"},
	"StandardOutput":       outputs,
	"StandardError":        outputs,
}

var outputs = []string{"inherit", "null", "tty", "kmsg", "kmsg+console", "journal", "journal+console", "syslog", "syslog+console", "socket", "fd", "fd:", "file:", "append:", "truncate:"}

// clean drops what systemd passes over with a warning, and notes it. What a version of
// systemd that is not known may read or pass over is kept, and in doubt. An error says that
// systemd does not load the unit; in a drop-in the same ends only that file.
func (u *Unit) clean(all settings) (kept settings, err error) {
	ended := ""
	for _, e := range all {
		if e.dropIn && e.file == ended || strings.HasPrefix(e.section, "X-") || strings.HasPrefix(e.key, "X-") {
			continue
		}
		if why := u.ignored(e); why != "" {
			u.note(fmt.Sprintf("systemd ignores %s: %s", e, why))
			continue
		}
		switch err := u.fatal(e); {
		case err == nil:
			kept = append(kept, e)
			u.slip(e)
		case e.dropIn:
			ended = e.file
			u.note(fmt.Sprintf("systemd ignores %s and what follows in that file: %v", e, err))
		default:
			return nil, fmt.Errorf("%s: %w: %s: %v", u.Name, errUnloadable, e, err)
		}
	}
	return kept, nil
}

// fatal says of an assignment why systemd would give up reading its file: the parsers of
// load-fragment.c that return an error.
func (u *Unit) fatal(e entry) error {
	if e.section != "Service" || e.value == "" {
		return nil
	}
	switch e.key {
	case "ExecCondition", "ExecStartPre", "ExecStart", "ExecStartPost", "ExecReload", "ExecStop", "ExecStopPost":
		_, err := u.commandsOf(e)
		return err
	case "User", "Group", "SupplementaryGroups":
		for _, name := range split(e.value) {
			name, err := u.expand(name)
			switch {
			case err == nil && !validName(name):
				return errors.New("it is no name")
			case err != nil && !errors.As(err, new(*unexpandable)):
				return err
			}
		}
	case "WorkingDirectory":
		dir, err := u.expand(e.value)
		switch {
		case err == nil && !path.IsAbs(dir) && dir != "~" && !strings.HasPrefix(dir, "-"):
			return errors.New("it is not an absolute path")
		case err != nil && !errors.As(err, new(*unexpandable)) && !strings.HasPrefix(e.value, "-"):
			return err
		}
	case "RootDirectory", "RootImage":
		if dir, err := u.expand(e.value); err == nil && !path.IsAbs(dir) {
			return errors.New("it is not an absolute path")
		}
	}
	return nil
}

// ignored says why systemd passes over an assignment, "" where it does not.
func (u *Unit) ignored(e entry) string {
	is, known := directives[e.section+"."+e.key]
	switch {
	case e.section == "":
		return "it stands before the first section"
	case !known:
		return unknownKey(e)
	case u.Build.Version != 0 && u.Build.Version < is.since:
		return fmt.Sprintf("systemd %d has no such directive", u.Build.Version)
	}
	values, isEnum := enums[e.key]
	if !isEnum && is.boolean {
		values = []string{"bool"}
	}
	if values == nil || e.section != "Service" && isEnum {
		return ""
	}
	switch ok, since := oneOf(values, e.value); {
	case since > 0 && u.Build.Version == 0:
		u.doubt("%s counts since systemd %d, and which one will start it is not known", e, since)
	case !ok || since > u.Build.Version:
		return "it has no such value"
	}
	return ""
}

// oneOf reports whether a value is one of an enumeration, and since which version.
func oneOf(values []string, value string) (ok bool, since int) {
	for _, v := range values {
		if later, is := strings.CutPrefix(v, "+"); is {
			name, version, _ := strings.Cut(later, ":")
			if name == value {
				_, _ = fmt.Sscan(version, &since)
				return true, since
			}
			continue
		}
		_, isBool := boolean(value)
		if v == value || v == "bool" && isBool || strings.HasSuffix(v, ":") && strings.HasPrefix(value, v) {
			return true, 0
		}
	}
	return false, 0
}

// unknownKey says what is wrong with a directive that its section does not have.
func unknownKey(e entry) string {
	for _, section := range []string{"Service", "Unit", "Socket", "Install"} {
		if isDirective(section, e.key) {
			return fmt.Sprintf("it belongs into [%s]", section)
		}
	}
	var best string
	const limit = 3
	closest := limit
	for _, name := range slices.Sorted(maps.Keys(directives)) {
		section, key, _ := strings.Cut(name, ".")
		if d := distance(e.key, key, limit); section == e.section && d < closest {
			best, closest = key, d
		}
	}
	if best != "" {
		return fmt.Sprintf("it has no such directive, and one that is named %s=", best)
	}
	return "it has no such directive"
}

// slip notes what is read otherwise than it looks.
func (u *Unit) slip(e entry) {
	if e.key != "Environment" {
		return
	}
	for _, word := range split(e.value) {
		if key, _, assigns := strings.Cut(word, "="); assigns && isDirective("Service", key) {
			u.note(fmt.Sprintf("%s sets a variable of the program's environment, and not the directive %s=", e, key))
		}
	}
}

func isDirective(section, key string) bool {
	_, ok := directives[section+"."+key]
	return ok
}

// distance returns how many letters have to be inserted, removed or replaced to turn a into b,
// at most limit.
func distance(a, b string, limit int) int {
	if len(a)-len(b) >= limit { // as in a line of megabytes
		return limit
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		left := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := left
			if a[i] != b[j] {
				cost = min(left, row[j], row[j+1]) + 1
			}
			left, row[j+1] = row[j+1], cost
		}
	}
	return min(row[len(b)], limit)
}

// enum is the last value of a directive that takes one of a few.
func (s settings) enum(key string) string { return strings.ToLower(s.last(key)) }

// says reports whether a directive that takes a boolean or a word is on, or one of the words.
func (s settings) says(key string, words ...string) bool {
	v := s.enum(key)
	on, _ := boolean(v)
	return on || slices.Contains(words, v)
}
