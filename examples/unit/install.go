package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/lowport/lowport/guard/unit"
)

const system = "/etc/systemd/system"

// packaged are the folders of units that one in system hides (systemd.unit(5)).
var packaged = []string{
	"/run/systemd/system", "/run/systemd/generator", "/usr/local/lib/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system", "/run/systemd/generator.late",
}

// write puts the files into a folder. One that somebody else wrote stays, and
// then none is written.
func write(dir string, files []unit.File) error {
	for _, f := range files {
		path := filepath.Join(dir, f.Name)
		old, err := os.ReadFile(path)
		switch {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			return err
		case !strings.HasPrefix(string(old), unit.Written):
			return fmt.Errorf("%s was not written by this program: remove it, or use -name or -drop-in", path)
		}
	}
	for _, f := range files {
		path := filepath.Join(dir, f.Name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := replace(path, f.Content); err != nil {
			return err
		}
	}
	return nil
}

// replace writes a file whole or not at all.
func replace(path, content string) error {
	temp, err := os.CreateTemp(filepath.Dir(path), ".lowport-*")
	if err != nil {
		return err
	}
	defer os.Remove(temp.Name()) // it is gone if all went well
	_, err = temp.WriteString(content)
	err = errors.Join(err, temp.Chmod(0o644), temp.Sync(), temp.Close())
	if err != nil {
		return err
	}
	return os.Rename(temp.Name(), path)
}

// install has systemd look at the files, and if it likes them writes, enables
// and starts them.
func install(files []unit.File, units []string, dropIn bool) error {
	if err := hides(packaged, files); err != nil {
		return err
	}
	if err := verify(files, units, dropIn); err != nil {
		return err
	}
	if err := write(system, files); err != nil {
		return err
	}
	for _, words := range [][]string{{"daemon-reload"}, {"enable", "--"}, {"stop", "--"}, {"start", "--"}} {
		if len(words) > 1 {
			words = append(words, units...)
		}
		if err := systemctl(words...); err != nil {
			return err
		}
	}
	return nil
}

// hides fails where a file would take the place of a unit of the machine's own. A
// drop-in, which is in a folder, takes none.
func hides(folders []string, files []unit.File) error {
	for _, f := range files {
		if strings.Contains(f.Name, "/") {
			continue
		}
		for _, dir := range folders {
			path := filepath.Join(dir, f.Name)
			if _, err := os.Lstat(path); err == nil {
				return fmt.Errorf("nothing is written: it would hide %s: use -name or -drop-in", path)
			} else if !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
	}
	return nil
}

// verify fails where systemd-analyze has anything to say about new units; what
// it says of a unit that exists is an error only if the unit is.
func verify(files []unit.File, units []string, dropIn bool) error {
	dir, err := os.MkdirTemp("", "lowport-unit-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := write(dir, files); err != nil {
		return err
	}
	cmd := exec.Command("systemd-analyze", append([]string{"verify", "--"}, units...)...)
	cmd.Env = append(os.Environ(), "SYSTEMD_UNIT_PATH="+dir+":") // the colon: and where units always are
	out, err := cmd.CombinedOutput()
	switch {
	case err != nil:
		return fmt.Errorf("nothing is written: systemd-analyze verify: %s%w", out, err)
	case len(out) > 0 && !dropIn:
		return fmt.Errorf("nothing is written: systemd-analyze verify: %s", out)
	}
	return nil
}
