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

// mappedLibraries are the shared objects in a /proc/PID/maps.
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

// loaded tells how the mapped libraries of a program in that folder were found.
func loaded(mapped []string, libs program.Libraries, folder string) facts.Loader {
	vars := loaderVars()
	l := facts.Loader{Vars: vars}
	is := map[string]func(path string) bool{
		"LD_LIBRARY_PATH": searched(strings.FieldsFunc(os.Getenv("LD_LIBRARY_PATH"), func(c rune) bool { return c == ':' || c == ';' }), libs.Needed),
		"LD_PRELOAD":      preloaded(strings.FieldsFunc(os.Getenv("LD_PRELOAD"), func(c rune) bool { return c == ':' || c == ' ' })),
		facts.Origin:      searched(libs.Beside(folder), libs.Needed),
	}
	for _, name := range append(slices.Clone(facts.LoaderVars), facts.Origin) {
		if slices.ContainsFunc(mapped, is[name]) {
			l.Needs = append(l.Needs, name)
		}
	}
	return l
}

// loaderVars are the variables of the environment that a loader heeds.
func loaderVars() []string {
	var all []string
	for _, name := range facts.LoaderVars {
		if value := os.Getenv(name); value != "" {
			all = append(all, name+"="+value)
		}
	}
	return all
}

// searched reports of a mapped library whether it lies in one of the folders, and in none
// that a loader always searches, or whether a link to it does.
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

// always reports whether a library lies where a loader searches last, whoever asks.
func always(path string) bool {
	for _, folder := range []string{"/lib/", "/lib64/", "/usr/lib/", "/usr/lib64/"} {
		if strings.HasPrefix(path, folder) {
			return true
		}
	}
	return false
}

// preloaded reports of a mapped library whether it is one of the files. Under AT_SECURE a path
// is not heeded, and a name only of a set-user-ID library.
func preloaded(files []string) func(path string) bool {
	return func(path string) bool {
		return slices.ContainsFunc(files, func(file string) bool {
			to, err := filepath.EvalSymlinks(file)
			return err == nil && to == path || filepath.Base(file) == filepath.Base(path)
		})
	}
}

// loader is what may be needed of the loader to start the program, in the environment of
// this process.
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
