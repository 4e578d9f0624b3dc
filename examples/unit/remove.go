package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/lowport/lowport/guard/unit"
)

// written returns the files of a service in a folder that this program wrote, and those of them
// that are units. One that somebody else wrote is an error if none is this program's.
func written(dir, name string) (files, units []string, err error) {
	var foreign error
	for _, file := range []string{name + ".socket", name + ".service", name + ".service.d/50-lowport-unit.conf"} {
		content, err := os.ReadFile(filepath.Join(dir, file))
		switch {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			return nil, nil, err
		case !strings.HasPrefix(string(content), unit.Written):
			foreign = fmt.Errorf("%s was not written by this program", filepath.Join(dir, file))
		default:
			files = append(files, file)
			if !strings.Contains(file, "/") {
				units = append(units, file)
			}
		}
	}
	switch {
	case len(files) > 0:
		return files, units, nil
	case foreign != nil:
		return nil, nil, foreign
	}
	return nil, nil, fmt.Errorf("%s has no file of %s that this program wrote", dir, name)
}

// remove stops and disables the units that install wrote, and deletes their files. A service
// that was there before, and had a drop-in, is restarted without it if it runs.
func remove(name string) error {
	files, units, err := written(system, name)
	if err != nil {
		return err
	}
	if len(units) > 0 {
		if err := systemctl(append([]string{"disable", "--now", "--"}, units...)...); err != nil {
			return err
		}
	}
	for _, file := range files {
		path := filepath.Join(system, file)
		if err := os.Remove(path); err != nil {
			return err
		}
		if strings.Contains(file, "/") {
			os.Remove(filepath.Dir(path)) // it stays if it has other drop-ins
		}
		fmt.Println("removed", path)
	}
	if err := systemctl("daemon-reload"); err != nil || slices.Contains(units, name+".service") {
		return err
	}
	return systemctl("try-restart", "--", name+".service")
}

func systemctl(args ...string) error {
	if out, err := exec.Command("systemctl", args...).CombinedOutput(); err != nil {
		return fmt.Errorf("systemctl %s: %s%w", strings.Join(args, " "), out, err)
	}
	return nil
}
