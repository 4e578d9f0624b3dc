package audit

import (
	"errors"
	"os"
	"path"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// errScript is of an interpreter whose script is not known, as where it changed its title.
var errScript = errors.New("an interpreter whose script is not known")

// script adds what a process of root, with these arguments, is told to run if it is an
// interpreter.
func (r *doorReader) script(f files, args []string) error {
	exe, err := os.Readlink(f.path("exe"))
	if err != nil {
		return err
	}
	base := path.Base(strings.TrimSuffix(exe, " (deleted)"))
	if !interprets(base) {
		return nil
	}
	t := toldTo(base, args)
	cwd, err := f.cwd()
	if err != nil {
		return err
	}
	for _, name := range named(t.code, cwd) {
		if kind := r.kind(name); kind == executable || kind == regular && slices.Contains(scripts, path.Ext(name)) {
			if err := r.runs(name, f.pid); err != nil {
				return err
			}
		}
	}
	if t.module != "" {
		return r.module(cwd, t.module)
	}
	found := false
	for _, name := range t.values {
		name = below(cwd, name)
		found = found || r.kind(name) != nothing
		if err := r.loads(name); err != nil {
			return err
		}
	}
	for _, name := range t.files {
		name = below(cwd, name)
		switch r.kind(name) {
		case regular, executable:
			return r.runs(name, f.pid)
		case directory: // python runs the __main__.py there
			return r.loads(name)
		}
	}
	if t.opaque && !found {
		return errScript
	}
	return nil
}

// scripts are the endings of what interpreters run.
var scripts = []string{".py", ".sh", ".pl", ".rb", ".js", ".mjs", ".php", ".jar", ".lua", ".tcl", ".R"}

// below returns the path that a process in the folder cwd means.
func below(cwd, name string) string {
	if path.IsAbs(name) {
		return path.Clean(name)
	}
	return path.Join(cwd, name)
}

// cwd is the working folder, as the process itself names it.
func (f files) cwd() (string, error) {
	root, err := os.Readlink(f.path("root"))
	if err != nil {
		return "", err
	}
	cwd, err := os.Readlink(f.path("cwd"))
	if err != nil {
		return "", err
	}
	if inside, ok := cutFolder(cwd, root); ok {
		return inside, nil
	}
	return cwd, nil
}

// module adds a module that python looks for in the working folder first, where anybody who
// may write there puts one.
func (r *doorReader) module(cwd, name string) error {
	name = path.Join(cwd, strings.ReplaceAll(name, ".", "/"))
	for _, file := range []string{name + ".py", name + "/__init__.py", name + "/__main__.py"} {
		if err := r.obeys(file, modulesAllows); err != nil {
			return err
		}
	}
	return nil
}

// loads adds a file that root's programs load, or a folder in which they look.
func (r *doorReader) loads(name string) error {
	key := "loads " + name
	usual := slices.ContainsFunc(doorFolders, func(d Door) bool { return d.Path == name })
	if r.done[key] || usual || inTree(name) {
		return nil // standard looks there
	}
	r.done[key] = true
	if r.kind(name) == directory {
		return r.folder(Door{Path: name, Allows: wayAllows})
	}
	return r.obeys(name, modulesAllows)
}

// environ adds what the variables of a process of root have its programs load.
func (r *doorReader) environ(variables []string) error {
	for _, v := range variables {
		name, value, _ := strings.Cut(v, "=")
		for _, p := range loaded(name, value, "") {
			if err := r.loads(p); err != nil {
				return err
			}
		}
	}
	return nil
}

// A kind is what lies at a path.
type kind uint8

const (
	nothing kind = iota
	regular
	executable
	directory
)

func (r *doorReader) kind(name string) kind {
	fd, err := open(r.root, name)
	if err != nil {
		return nothing
	}
	defer unix.Close(fd)
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return nothing
	}
	switch {
	case st.Mode&unix.S_IFMT == unix.S_IFDIR:
		return directory
	case st.Mode&unix.S_IFMT != unix.S_IFREG:
		return nothing
	case st.Mode&0o111 != 0:
		return executable
	}
	return regular
}
