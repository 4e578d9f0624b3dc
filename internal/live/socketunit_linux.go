package live

import (
	"errors"
	"path/filepath"
	"strings"

	"github.com/lowport/lowport/internal/facts"
	"golang.org/x/sys/unix"
)

// socketUnit reads the listeners of the .socket unit that has the name of the unit that runs
// this process. ENOENT says that there is none. A unit with drop-ins is an error.
func socketUnit(r facts.Record) ([]byte, error) {
	u, err := facts.UnitOf(r)
	if err != nil || u.Name == "" || u.User || strings.Contains(u.Name, "@") {
		return nil, unix.ENOENT
	}
	if facts.OwnRoot(r) {
		return nil, errors.New("the units are in another root")
	}
	name := strings.TrimSuffix(u.Name, ".service") + ".socket"
	folders := unitFolders()
	for _, dir := range folders {
		if err := unix.Access(filepath.Join(dir, name+".d"), unix.F_OK); !errors.Is(err, unix.ENOENT) {
			return nil, errors.New("the .socket unit has drop-ins")
		}
	}
	text, err := firstUnit(folders, name)
	if err == nil && text == "" { // masked
		err = unix.ENOENT
	}
	if err != nil {
		return nil, err
	}
	all, err := facts.ParseSocketUnit(name, text)
	if err != nil {
		return nil, err
	}
	return line(all)
}
