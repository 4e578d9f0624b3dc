package live

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/lowport/lowport/internal/facts"
	"golang.org/x/sys/unix"
)

// unitFolders returns facts.UnitFolders as paths.
func unitFolders() (paths []string) {
	for _, folder := range facts.UnitFolders {
		paths = append(paths, "/"+folder)
	}
	return paths
}

// unitsFolder is where systemd links each unit that runs to the id of that run.
const unitsFolder = "/run/systemd/units"

// unitOfInvocation names the service that was started with an INVOCATION_ID. It looks only if the
// cgroup of this process is of no service. ENODATA says that there is none.
func unitOfInvocation(r facts.Record, id string) ([]byte, error) {
	u, err := facts.ParseUnit(string(r["proc/self/cgroup"].Data))
	if err != nil || u.Name != "" || id == "" {
		return nil, unix.ENODATA
	}
	links, err := os.ReadDir(unitsFolder)
	if err != nil {
		return nil, err
	}
	for _, l := range links {
		name, ok := strings.CutPrefix(l.Name(), "invocation:")
		if !ok || !facts.UnitName(name) {
			continue
		}
		if to, err := os.Readlink(filepath.Join(unitsFolder, l.Name())); err == nil && to == id {
			return []byte(name + "\n"), nil
		}
	}
	return nil, unix.ENODATA
}

// lastDropIn names the drop-in of our unit that systemd reads last. ENODATA says that no unit of
// the system manager runs this process.
func lastDropIn(r facts.Record) ([]byte, error) {
	u, err := facts.UnitOf(r)
	if err != nil || u.Name == "" || u.User {
		return nil, unix.ENODATA
	}
	if facts.OwnRoot(r) {
		return nil, errors.New("the units are in another root")
	}
	files, err := facts.UnitDropIns(os.DirFS("/"), u.Name, facts.UnitFolders)
	if err != nil || len(files) == 0 {
		return []byte("\"\"\n"), err
	}
	return line(filepath.Base(files[len(files)-1]))
}

// unitFilters reads which filters the files of our unit set. ENODATA says that no unit of the
// system manager runs this process.
func unitFilters(r facts.Record) ([]byte, error) {
	u, err := facts.UnitOf(r)
	if err != nil || u.Name == "" || u.User || os.Getenv("INVOCATION_ID") == "" {
		return nil, unix.ENODATA
	}
	if facts.OwnRoot(r) {
		return nil, errors.New("the units are in another root")
	}
	files, err := unitFiles(u.Name, unitFolders())
	if err != nil {
		return nil, err
	}
	return line(facts.FiltersIn(files...))
}

// unitFiles reads the file of a unit and its drop-ins, in the order in which systemd does.
func unitFiles(name string, folders []string) ([]string, error) {
	names := []string{name}
	if prefix, _, isInstance := strings.Cut(name, "@"); isInstance {
		names = append(names, prefix+"@.service")
	}
	main, err := firstUnit(folders, names...)
	if err != nil {
		return nil, err
	}
	relative := make([]string, len(folders)) // to /
	for i, folder := range folders {
		relative[i] = strings.TrimPrefix(folder, "/")
	}
	dropIns, err := facts.UnitDropIns(os.DirFS("/"), name, relative)
	if err != nil {
		return nil, err
	}
	files := []string{main}
	for _, path := range dropIns {
		text, err := readUnit("/" + path)
		if err != nil {
			return nil, err
		}
		files = append(files, text)
	}
	return files, nil
}

// firstUnit reads the first file that has one of the names. It looks in all folders for a name
// before it takes the next one. unix.ENOENT says that there is none.
func firstUnit(folders []string, names ...string) (string, error) {
	for _, name := range names {
		for _, folder := range folders {
			if text, err := readUnit(filepath.Join(folder, name)); !errors.Is(err, fs.ErrNotExist) {
				return text, err
			}
		}
	}
	return "", unix.ENOENT
}

// readUnit reads a file of a unit. A file that is not regular reads as empty: a link to
// /dev/null masks the unit.
func readUnit(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() {
		return "", err
	}
	b, err := readPath(path)
	return string(b), err
}
