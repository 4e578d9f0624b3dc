package launch

import (
	"errors"
	"fmt"
	"io"
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
	Kept    []string // what keeps clients from what the sockets pass
	Build   Build    // of the systemd that reads it

	set        settings
	env        map[string]string // what it sets of the environment, as far as that is known
	search     []string          // the folders in which other units are looked for
	lastDropIn string            // the name of the one that is read last
	socketUnit bool              // a .socket unit passes it something
	doubts     []string          // why it cannot be told how a start would go
	before     preparation       // by ExecCondition= and ExecStartPre=
}

// maxDoubts bounds what is kept of a unit that is in doubt all over.
const maxDoubts = 16

func (u *Unit) doubt(format string, args ...any) {
	if len(u.doubts) < maxDoubts {
		u.doubts = append(u.doubts, fmt.Sprintf(format, args...))
	}
}

// folders are where systemd looks for the unit and those that it names.
func (u *Unit) folders() []string {
	if u.User {
		return userFolders
	}
	return facts.UnitFolders
}

// userFolders are where a user's manager looks for units, as facts.UnitFolders has the system's.
var userFolders = []string{"etc/systemd/user", "run/systemd/user", "usr/local/lib/systemd/user", "usr/lib/systemd/user"}

// Read reads the unit at an absolute path, its drop-ins beside it and wherever
// systemd looks for them, and its sockets, from root, the file system. A unit in
// a folder systemd/user is one of a user's own manager.
func Read(root fs.FS, file string) (Unit, error) {
	folder := strings.TrimPrefix(path.Dir(path.Clean(file)), "/")
	u := Unit{Name: path.Base(file), Build: BuildOf(root), User: strings.HasSuffix(folder, "systemd/user")}
	folders := u.folders()
	if !facts.UnitName(u.Name) {
		return u, fmt.Errorf("%q is not the name of a service", u.Name)
	}
	name := u.Name
	if _, err := fs.Stat(root, path.Join(folder, name)); errors.Is(err, fs.ErrNotExist) {
		name = templateOf(name) // of an instance that has no file of its own
	}
	if i := slices.Index(folders, folder); i >= 0 {
		if err := alone(root, folder, name, folders[:i]); err != nil {
			return u, err
		}
	} else {
		folders = append([]string{folder}, folders...)
	}
	var err error
	if u.set, err = u.load(root, path.Join(folder, name), u.Name, folders); err != nil {
		return u, err
	}
	if u.set, err = u.clean(u.set); err != nil {
		return u, err
	}
	u.search = folders
	u.env = u.environment(root)
	u.Sockets, err = u.sockets(root)
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

// readFile reads a unit file of a size that is one. What is no regular file is none: a
// link to /dev/null masks a unit, and a pipe would not end.
func readFile(root fs.FS, file string) ([]byte, error) {
	info, err := fs.Stat(root, file)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("/%s is no regular file", file)
	}
	f, err := root.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if len(b) > maxFile {
		return nil, fmt.Errorf("/%s is longer than %d bytes", file, maxFile)
	}
	return b, err
}

// load reads a unit file and the drop-ins of the unit of that name.
func (u *Unit) load(root fs.FS, file, name string, folders []string) (settings, error) {
	b, err := readFile(root, file)
	if err != nil {
		return nil, err
	}
	all, notes, err := parse("/"+file, b)
	if err != nil {
		return nil, err
	}
	if len(all) > maxLines {
		return nil, fmt.Errorf("/%s has more than %d lines", file, maxLines)
	}
	size := len(b)
	u.note(notes...)
	dropIns, err := facts.UnitDropIns(root, name, folders)
	if err != nil {
		return nil, err
	}
	for _, d := range dropIns {
		if name == u.Name {
			u.lastDropIn = path.Base(d)
		}
		if info, err := fs.Stat(root, d); err == nil && !info.Mode().IsRegular() {
			continue // a link to /dev/null says nothing
		}
		b, err := readFile(root, d)
		if err != nil {
			return nil, err
		}
		more, notes, err := parse("/"+d, b)
		if err != nil { // of a drop-in the rest is passed over (unit_load_dropin)
			u.note(err.Error() + ", beginning there")
		}
		for i := range more {
			more[i].dropIn = true
		}
		u.note(notes...)
		size += len(b)
		if all = append(all, more...); len(all) > maxLines || size > 4*maxFile {
			return nil, fmt.Errorf("/%s has more in its drop-ins than is read", file)
		}
	}
	return all, nil
}
