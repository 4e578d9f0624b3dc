package live

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/lowport/lowport/internal/facts"
	"github.com/lowport/lowport/internal/program"
)

// loader reads how the loader found the libraries of this process.
func loader() ([]byte, error) {
	maps, err := readPath("/proc/self/maps")
	if err != nil {
		return nil, err
	}
	mapped := mappedLibraries(maps)
	if len(mapped) == 0 {
		return line(facts.Loader{}) // a static program
	}
	exe, err := os.Readlink("/proc/self/exe")
	if err != nil {
		return nil, err
	}
	f, err := os.Open("/proc/self/exe")
	if err != nil {
		return nil, err
	}
	defer f.Close()
	libs, err := program.ReadLibraries(f)
	if err != nil {
		return nil, err
	}
	return line(loaded(mapped, libs, filepath.Dir(exe)))
}

// mappedLibraries returns the shared objects in a /proc/PID/maps.
func mappedLibraries(maps []byte) []string {
	var all []string
	for l := range bytes.Lines(maps) {
		at := bytes.IndexByte(l, '/')
		if at < 0 {
			continue
		}
		path := strings.TrimSuffix(string(l[at:]), "\n")
		if strings.Contains(filepath.Base(path), ".so") && !slices.Contains(all, path) {
			all = append(all, path)
		}
	}
	return all
}

// loaded tells how the loader found the mapped libraries of a program in folder.
func loaded(mapped []string, libs program.Libraries, folder string) facts.Loader {
	vars := loaderVars()
	l := facts.Loader{Vars: vars}
	is := map[string]func(path string) bool{
		"LD_LIBRARY_PATH": searched(strings.FieldsFunc(os.Getenv("LD_LIBRARY_PATH"), func(c rune) bool { return c == ':' || c == ';' }), libs.Needed),
		"LD_PRELOAD":      preloaded(preload()),
		facts.Origin:      searched(libs.Beside(folder), libs.Needed),
	}
	for _, name := range append(slices.Clone(facts.LoaderVars), facts.Origin) {
		if slices.ContainsFunc(mapped, is[name]) {
			l.Needs = append(l.Needs, name)
		}
	}
	return l
}

// loaderVars returns the variables of the environment that a loader heeds, as NAME=VALUE.
func loaderVars() []string {
	var all []string
	for _, name := range facts.LoaderVars {
		value := os.Getenv(name)
		if name == "LD_PRELOAD" {
			value = strings.Join(preload(), " ")
		}
		if value != "" {
			all = append(all, name+"="+value)
		}
	}
	return all
}

// preload returns the files of LD_PRELOAD, without the library of authbind(1): nothing is lost with that
// one where the program gets its port in another way.
func preload() []string {
	all := strings.FieldsFunc(os.Getenv("LD_PRELOAD"), func(c rune) bool { return c == ':' || c == ' ' })
	return slices.DeleteFunc(all, func(file string) bool { return file == os.Getenv("AUTHBIND_LIB") })
}

// searched returns a function that reports whether a mapped library was found by one of the
// folders: it lies in one, or a link with a needed name leads to it from one. It was not if
// it lies where a loader always searches.
func searched(folders, needed []string) func(path string) bool {
	var real []string
	for _, folder := range folders {
		if to, err := filepath.EvalSymlinks(folder); err == nil {
			real = append(real, to)
		}
	}
	return func(path string) bool {
		if always(path) {
			return false
		}
		for _, folder := range real {
			if strings.HasPrefix(path, strings.TrimSuffix(folder, "/")+"/") {
				return true
			}
			for _, name := range needed {
				if to, err := filepath.EvalSymlinks(filepath.Join(folder, name)); err == nil && to == path {
					return true
				}
			}
		}
		return false
	}
}

// always reports whether a library lies in a folder that a loader searches for every program.
func always(path string) bool {
	for _, folder := range []string{"/lib/", "/lib64/", "/usr/lib/", "/usr/lib64/"} {
		if strings.HasPrefix(path, folder) {
			return true
		}
	}
	return false
}

// preloaded returns a function that reports whether a mapped library is one of the files of
// LD_PRELOAD. Under AT_SECURE the loader ignores a path there, and a name unless the library
// is set-user-ID.
func preloaded(files []string) func(path string) bool {
	return func(path string) bool {
		return slices.ContainsFunc(files, func(file string) bool {
			to, err := filepath.EvalSymlinks(file)
			return err == nil && to == path || filepath.Base(file) == filepath.Base(path)
		})
	}
}

// loader returns what the program may need of its loader to start, in the environment of this
// process.
func (p Program) loader() facts.Loader {
	if p.File.Format != program.ELF || p.File.Interpreter == "" {
		return facts.Loader{}
	}
	l := facts.Loader{Vars: loaderVars(), Maybe: true}
	for _, v := range l.Vars {
		name, _, _ := strings.Cut(v, "=")
		l.Needs = append(l.Needs, name)
	}
	if p.File.Libraries.Value.Origin() {
		l.Needs = append(l.Needs, facts.Origin)
	}
	return l
}
