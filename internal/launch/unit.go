package launch

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/lowport/lowport/internal/facts"
)

// A Unit is a service as systemd would load it.
type Unit struct {
	Name    string // "app.service"
	User    bool   // of a user's own manager
	Sockets []Socket
	Notes   []string // what systemd passes over, and what is not looked at

	set settings
}

// The folders where systemd looks for units, the most important first, without
// the slash in front.
var (
	systemFolders = []string{
		"etc/systemd/system.control", "run/systemd/system.control", "run/systemd/transient", "run/systemd/generator.early",
		"etc/systemd/system", "etc/systemd/system.attached", "run/systemd/system", "run/systemd/system.attached", "run/systemd/generator",
		"usr/local/lib/systemd/system", "lib/systemd/system", "usr/lib/systemd/system", "run/systemd/generator.late",
	}
	userFolders = []string{"etc/systemd/user", "run/systemd/user", "usr/local/lib/systemd/user", "usr/lib/systemd/user"}
)

// Read reads the unit at an absolute path, its drop-ins beside it and wherever
// systemd looks for them, and its sockets, from root, the file system. A unit in
// a folder systemd/user is one of a user's own manager.
func Read(root fs.FS, file string) (Unit, error) {
	u := Unit{Name: path.Base(file)}
	folder := strings.TrimPrefix(path.Dir(path.Clean(file)), "/")
	folders := systemFolders
	if strings.HasSuffix(folder, "systemd/user") {
		u.User, folders = true, userFolders
	}
	if !facts.UnitName(u.Name) {
		return u, fmt.Errorf("%q is not the name of a service", u.Name)
	}
	if i := slices.Index(folders, folder); i >= 0 {
		if err := alone(root, folder, u.Name, folders[:i]); err != nil {
			return u, err
		}
	} else {
		folders = append([]string{folder}, folders...)
	}
	var err error
	if u.set, err = u.load(root, path.Join(folder, u.Name), folders); err != nil {
		return u, err
	}
	u.Sockets, err = u.sockets(root, folder, folders)
	return u, err
}

// alone says that no more important folder has a unit of that name, which systemd
// would load in its place.
func alone(root fs.FS, folder, name string, more []string) error {
	this, err := fs.Stat(root, path.Join(folder, name))
	if err != nil {
		return err
	}
	for _, dir := range more {
		if other, err := fs.Stat(root, path.Join(dir, name)); err == nil && !os.SameFile(this, other) {
			return fmt.Errorf("systemd loads /%s instead of /%s", path.Join(dir, name), path.Join(folder, name))
		}
	}
	return nil
}

// load reads a unit file and its drop-ins.
func (u *Unit) load(root fs.FS, file string, folders []string) (settings, error) {
	b, err := fs.ReadFile(root, file)
	if err != nil {
		return nil, err
	}
	all, notes, err := parse("/"+file, b)
	if err != nil {
		return nil, err
	}
	u.Notes = append(u.Notes, notes...)
	dropIns, err := dropIns(root, path.Base(file), folders)
	if err != nil {
		return nil, err
	}
	for _, d := range dropIns {
		b, err := fs.ReadFile(root, d)
		if err != nil {
			return nil, err
		}
		more, notes, err := parse("/"+d, b)
		if err != nil {
			return nil, err
		}
		all, u.Notes = append(all, more...), append(u.Notes, notes...)
	}
	return all, nil
}

// dropIns lists the drop-ins of a unit in the order of their names. Of several
// of one name that of the most important folder counts; one that is empty or a
// link to /dev/null says nothing.
func dropIns(root fs.FS, name string, folders []string) ([]string, error) {
	found := map[string]string{}
	kind := strings.TrimPrefix(path.Ext(name), ".")
	var dirs []string
	for _, folder := range folders { // one folder before the next, whatever the names in it (unit_file_find_dropin_paths)
		for _, names := range dropInNames(name) {
			dirs = append(dirs, path.Join(folder, names+".d"))
		}
	}
	for _, folder := range folders {
		dirs = append(dirs, path.Join(folder, kind+".d"))
	}
	for _, dir := range dirs {
		entries, err := fs.ReadDir(root, dir)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			if _, ok := found[e.Name()]; !ok && strings.HasSuffix(e.Name(), ".conf") {
				found[e.Name()] = path.Join(dir, e.Name())
			}
		}
	}
	var files []string
	for _, file := range found {
		files = append(files, file)
	}
	slices.SortFunc(files, func(a, b string) int { return strings.Compare(path.Base(a), path.Base(b)) })
	return files, nil
}

// dropInNames are the names whose folders apply to a unit: its own, and those of
// its template and of what its dashes cut off.
func dropInNames(name string) []string {
	names := []string{name}
	suffix := path.Ext(name)
	stem := strings.TrimSuffix(name, suffix)
	if template, _, ok := strings.Cut(stem, "@"); ok {
		stem = template
		if names[0] != template+"@"+suffix {
			names = append(names, template+"@"+suffix)
		}
	}
	for i := len(stem) - 1; i > 0; i-- {
		if stem[i-1] == '-' && stem[:i] != "-" {
			names = append(names, stem[:i]+suffix)
		}
	}
	return names
}

// Lacks names a path that the unit mounts and that is not there: systemd then
// starts nothing. One with a "-" before it may be missing.
func (u Unit) Lacks(root fs.FS) error {
	for _, key := range []string{"ReadWritePaths", "ReadOnlyPaths", "InaccessiblePaths", "ExecPaths", "NoExecPaths", "BindPaths", "BindReadOnlyPaths"} {
		for _, word := range u.set.words(key) {
			p, _, _ := strings.Cut(strings.TrimPrefix(word, "+"), ":")
			if !path.IsAbs(p) || strings.Contains(p, "%") {
				continue
			}
			if _, err := fs.Stat(root, strings.TrimPrefix(path.Clean(p), "/")); errors.Is(err, fs.ErrNotExist) && p != "/" {
				return fmt.Errorf("%s: systemd starts nothing (status=226/NAMESPACE): %s=%s: %w", u.Name, key, p, fs.ErrNotExist)
			}
		}
	}
	return nil
}

// Exec is the program of the unit's first ExecStart=, an absolute path.
func (u Unit) Exec(root fs.FS) (string, error) {
	program, _, err := u.command()
	if err != nil || path.IsAbs(program) {
		return program, err
	}
	if strings.Contains(program, "/") {
		return "", fmt.Errorf("%s: ExecStart=%s is not an absolute path", u.Name, program)
	}
	for _, dir := range []string{"usr/local/sbin", "usr/local/bin", "usr/sbin", "usr/bin", "sbin", "bin"} { // find_executable
		if info, err := fs.Stat(root, path.Join(dir, program)); err == nil && info.Mode()&0o111 != 0 && info.Mode().IsRegular() {
			return "/" + path.Join(dir, program), nil
		}
	}
	return "", fmt.Errorf("%s: ExecStart=%s: %w", u.Name, program, fs.ErrNotExist)
}

// command is the first word of ExecStart=, and the marks before it.
func (u Unit) command() (program, marks string, err error) {
	lines := u.set.all("Service", "ExecStart")
	if len(lines) == 0 {
		return "", "", fmt.Errorf("%s has no ExecStart=", u.Name)
	}
	if len(lines) > 1 && u.set.last("Type") != "oneshot" {
		return "", "", fmt.Errorf("%s: systemd does not load a service with more than one ExecStart=, unless it is Type=oneshot", u.Name)
	}
	rest := strings.TrimLeft(lines[0], "@-:+!")
	marks = lines[0][:len(lines[0])-len(rest)]
	words := split(rest)
	if len(words) == 0 {
		return "", "", fmt.Errorf("%s: ExecStart=%s names no program", u.Name, lines[0])
	}
	program, err = u.expand(words[0])
	return program, marks, err
}

// expand puts the specifiers of systemd.unit(5) in that depend on the unit's
// name alone. Of others it is an error.
func (u Unit) expand(s string) (string, error) {
	stem := strings.TrimSuffix(u.Name, path.Ext(u.Name))
	prefix, instance, _ := strings.Cut(stem, "@")
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '%' {
			b.WriteByte(s[i])
			continue
		}
		if i++; i == len(s) {
			return "", fmt.Errorf("%s: %q ends in %%", u.Name, s)
		}
		switch s[i] {
		case '%':
			b.WriteByte('%')
		case 'n':
			b.WriteString(u.Name)
		case 'N':
			b.WriteString(stem)
		case 'p':
			b.WriteString(prefix)
		case 'i':
			b.WriteString(instance)
		default:
			return "", fmt.Errorf("%s: what %%%c of %q stands for is not looked at", u.Name, s[i], s)
		}
	}
	return b.String(), nil
}
