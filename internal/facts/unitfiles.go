package facts

import (
	"errors"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
)

// UnitDropIns lists the drop-ins of a unit in the order in which systemd reads them, that of their
// names (systemd.unit(5)). It looks in folders of root, the most important first; of several
// drop-ins of one name the first counts.
func UnitDropIns(root fs.FS, name string, folders []string) ([]string, error) {
	names, err := unitNames(root, name, folders)
	if err != nil {
		return nil, err
	}
	var dirs []string
	for _, folder := range folders { // one folder before the next, whatever the names in it (unit_file_find_dropin_paths)
		for _, n := range names {
			for _, of := range dropInNames(n) {
				dirs = append(dirs, path.Join(folder, of+".d"))
			}
		}
	}
	kind := strings.TrimPrefix(path.Ext(name), ".")
	for _, folder := range folders {
		dirs = append(dirs, path.Join(folder, kind+".d"))
	}
	found := map[string]string{} // by name
	for _, dir := range dirs {
		entries, err := readDir(root, dir)
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			if found[e.Name()] == "" && strings.HasSuffix(e.Name(), ".conf") {
				found[e.Name()] = path.Join(dir, e.Name())
			}
		}
	}
	var files []string
	for _, base := range slices.Sorted(maps.Keys(found)) {
		files = append(files, found[base])
	}
	return files, nil
}

// unitNames lists the names of a unit: the given one, and those of its aliases, which are links
// to its file, or of which it is one. An instance has the aliases of its template too.
func unitNames(root fs.FS, name string, folders []string) ([]string, error) {
	links := map[string]string{} // what the links in the folders are to
	for _, folder := range folders {
		entries, err := readDir(root, folder)
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			if e.Type()&fs.ModeSymlink == 0 || links[e.Name()] != "" || path.Ext(e.Name()) != path.Ext(name) {
				continue
			}
			to, err := fs.ReadLink(root, path.Join(folder, e.Name()))
			if err != nil {
				return nil, err
			}
			if to = path.Base(to); to != e.Name() && path.Ext(to) == path.Ext(name) {
				links[e.Name()] = to
			}
		}
	}
	names := []string{name}
	for i := 0; i < len(names); i++ { // names grows
		for alias, to := range links {
			for _, pair := range [][2]string{{alias, to}, {instanceLike(alias, name), instanceLike(to, name)}} {
				if pair[0] == names[i] && !slices.Contains(names, pair[1]) {
					names = append(names, pair[1])
				}
				if pair[1] == names[i] && !slices.Contains(names, pair[0]) {
					names = append(names, pair[0])
				}
			}
		}
	}
	slices.Sort(names[1:])
	return names, nil
}

// instanceLike returns the instance of a template that has the part behind "@" of the name. It
// returns any other unit unchanged.
func instanceLike(unit, name string) string {
	_, instance, _ := strings.Cut(name, "@")
	if template, suffix, ok := strings.Cut(unit, "@."); ok && instance != "" {
		return template + "@" + strings.TrimSuffix(instance, "."+suffix) + "." + suffix
	}
	return unit
}

// readDir lists a folder; one that does not exist is empty.
func readDir(root fs.FS, dir string) ([]fs.DirEntry, error) {
	entries, err := fs.ReadDir(root, dir)
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return entries, err
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
