//go:build linux

package dice

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/lowport/lowport/internal/lab/box"
)

// programs are what situations find in /lab.
var programs = []string{"box/first", "dice/guest", "denybind", "filter", "hold", "idmap", "landlocked", "occupy", "pass", "sharefs"}

// Build builds in a folder what boxes are made from. Flags are for go build.
func Build(dir string, flags ...string) (box.Maker, error) {
	m := box.Maker{Base: filepath.Join(dir, "base"), Bin: filepath.Join(dir, "bin")}
	for _, d := range []string{m.Base, m.Bin} {
		if err := os.MkdirAll(d, 0o755); err != nil {
			return m, err
		}
	}
	if err := box.WriteBase(m.Base); err != nil {
		return m, err
	}
	args := append([]string{"build", "-ldflags=-s -w", "-o", m.Bin + "/"}, flags...)
	for _, name := range programs {
		args = append(args, "github.com/lowport/lowport/internal/lab/"+name)
	}
	cmd := exec.Command("go", args...)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return m, fmt.Errorf("%v: %w\n%s", cmd, err, out)
	}
	return m, nil
}
