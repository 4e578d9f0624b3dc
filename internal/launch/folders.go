package launch

import (
	"errors"
	"io/fs"
	"path"
	"strconv"
	"strings"
	"syscall"
)

// A folder is one that systemd makes before it starts the service, and gives to its user
// (systemd.exec(5), "RuntimeDirectory="). What is in its way ends the start.
type folder struct {
	by      entry
	kind    folderKind
	path    string
	link    string // a name that it gets besides, "" for none
	private string // where it lies instead, for the service alone; "" for path (exec_directory_is_private)
}

type folderKind struct{ key, base, status string }

var folderKinds = []folderKind{
	{"RuntimeDirectory", "/run", "233/RUNTIME_DIRECTORY"},
	{"StateDirectory", "/var/lib", "238/STATE_DIRECTORY"},
	{"CacheDirectory", "/var/cache", "239/CACHE_DIRECTORY"},
	{"LogsDirectory", "/var/log", "240/LOGS_DIRECTORY"},
	{"ConfigurationDirectory", "/etc", "241/CONFIGURATION_DIRECTORY"},
}

// madeFolders lists them. Those of a user's own manager lie in other places, and are not listed.
func (u *Unit) madeFolders() (all []folder) {
	if u.User {
		return nil
	}
	for _, kind := range folderKinds {
		for _, e := range u.set.entries("Service", kind.key) {
			for _, word := range split(e.value) {
				word, err := u.expand(word)
				name, link, _ := strings.Cut(word, ":")
				if err != nil || name == "" || strings.Contains(name, "..") {
					continue
				}
				f := folder{by: e, kind: kind, path: path.Join(kind.base, name)}
				if link, _, _ = strings.Cut(link, ":"); link != "" {
					f.link = path.Join(kind.base, link)
				}
				if u.set.is("DynamicUser") && (kind.base != "/run" || u.preserves()) && kind.base != "/etc" {
					f.private = path.Join(kind.base, "private", name)
				}
				all = append(all, f)
			}
		}
	}
	return all
}

// preserves reports whether RuntimeDirectoryPreserve= keeps the folder over a stop.
func (u *Unit) preserves() bool { return u.set.says("RuntimeDirectoryPreserve", "restart") }

// makes reports whether systemd makes the folder itself before.
func (u *Unit) makes(dir string) bool {
	for _, f := range u.madeFolders() {
		if dir == f.path || strings.HasPrefix(f.path, dir+"/") {
			return true
		}
	}
	return false
}

// Gives lists the folders through which the service's user may pass, whatever their modes say
// now: those that systemd gives to it, and those of DynamicUser= that it opens to it.
func (u *Unit) Gives() (all []string) {
	for _, f := range u.madeFolders() {
		if f.kind.base != "/etc" {
			all = append(all, f.path)
		}
		if f.private != "" {
			all = append(all, path.Join(f.kind.base, "private"), f.private)
		}
	}
	return all
}

// freeFolders looks for what is in the way of those folders (setup_exec_directory).
func freeFolders(u *Unit, at place) error {
	for _, f := range u.madeFolders() {
		why, err := u.inWay(at, f)
		switch {
		case err != nil:
			u.doubt("%s: what is at %s could not be read", f.by, f.path)
		case why != "":
			return stops(f.kind.status, "%s: %s", f.by, why)
		}
		e, ok := u.set.lastEntry(f.kind.key + "Mode")
		if mode, err := strconv.ParseUint(e.value, 8, 32); ok && err == nil && mode&0o100 == 0 {
			u.doubt("%s: what its user may not enter is not looked at", e)
		}
	}
	return nil
}

// inWay says what is in the way of a folder, "" for nothing.
func (u *Unit) inWay(at place, f folder) (why string, err error) {
	for _, p := range []string{f.path, f.private} {
		for dir := path.Dir(p); len(dir) > 1; dir = path.Dir(dir) {
			if info, err := fs.Stat(at.root, inside(dir)); err == nil && !info.IsDir() {
				return dir + " is no folder", nil
			}
		}
	}
	is, err := fs.Lstat(at.root, inside(f.path))
	if err != nil && !missing(err) {
		return "", err
	}
	there, link := err == nil, err == nil && is.Mode()&fs.ModeSymlink != 0
	info, err := fs.Stat(at.root, inside(f.path))
	old := path.Join(f.kind.base, "private", strings.TrimPrefix(f.path, f.kind.base)) // which DynamicUser= has left, or will have
	switch leads := u.leads(at, f.path); {
	case link && f.private != "" && leads != old:
		return f.path + " is a link to elsewhere", nil
	case link && f.private == "" && missing(err):
		return f.path + " is a link to nothing", nil
	case f.kind.base == "/etc": // anything that is there is left as it is
	case there && err == nil && !info.IsDir():
		return f.path + " is no folder", nil
	case link && f.private == "" && leads != old:
		u.doubt("%s: whether systemd takes the link %s for it is not known", f.by, f.path)
	}
	if _, err := fs.Lstat(at.root, inside(f.link)); err == nil && f.link != "" && u.leads(at, f.link) != f.path {
		return f.link + " is there already", nil
	}
	if own, err := fs.Stat(at.root, inside(f.private)); f.private != "" && err == nil {
		switch {
		case !own.IsDir():
			return f.private + " is no folder", nil
		case there && !link:
			return f.path + " and " + f.private + " are both there", nil
		}
	}
	return "", nil
}

// leads is where a link leads, "" where that cannot be read.
func (u *Unit) leads(at place, link string) string {
	to, err := fs.ReadLink(at.root, inside(link))
	if err != nil {
		return ""
	}
	if !path.IsAbs(to) {
		to = path.Join(path.Dir(link), to)
	}
	return path.Clean(to)
}

// closes reports whether a file lies where DynamicUser= shows the service its own folders alone.
func (u *Unit) closes(file string) bool {
	own, closed := false, false
	for _, f := range u.madeFolders() {
		if f.private != "" {
			own = own || within(file, f.private)
			closed = closed || within(file, path.Join(f.kind.base, "private"))
		}
	}
	return closed && !own
}

// missing reports whether an error says that there is no such file.
func missing(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR)
}
