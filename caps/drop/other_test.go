//go:build !linux

package drop_test

import (
	"errors"
	"os/exec"
	"runtime"
	"strings"
	"testing"

	"github.com/lowport/lowport/caps/drop"
)

func TestUnsupported(t *testing.T) {
	_, held := drop.Held()
	for name, err := range map[string]error{
		"All":    drop.All(),
		"Except": drop.Except(),
		"Clamp":  drop.Clamp(),
		"ToUser": drop.ToUser("nobody"),
		"Held":   held,
		"Start":  drop.Start(exec.Command("true"), drop.Child{}),
	} {
		if !errors.Is(err, errors.ErrUnsupported) || !strings.Contains(err.Error(), runtime.GOOS) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}
