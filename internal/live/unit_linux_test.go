package live

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/lowport/lowport/internal/diff"
)

// The files of a unit are read as systemd reads them: the first folder that has one counts,
// and drop-ins go by their names.
func TestUnitFiles(t *testing.T) {
	etc, lib := t.TempDir(), t.TempDir()
	for path, text := range map[string]string{
		etc + "/app@.service":                 "template",
		lib + "/app@.service":                 "template of lib",
		lib + "/web.service":                  "web",
		etc + "/app@1.service.d/50-b.conf":    "b",
		lib + "/app@.service.d/10-a.conf":     "a",
		lib + "/app@1.service.d/50-b.conf":    "b of lib",
		etc + "/service.d/99-all.conf":        "all",
		etc + "/app@1.service.d/60-other.txt": "no drop-in",
	} {
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("/dev/null", etc+"/app@1.service.d/20-masked.conf"); err != nil {
		t.Fatal(err)
	}
	folders := []string{etc, lib}
	got, err := unitFiles("app@1.service", folders)
	if d := diff.Of([]string{"template", "a", "", "b", "all"}, got); d != "" || err != nil {
		t.Errorf("%v\n%s", err, d)
	}
	got, err = unitFiles("web.service", folders)
	if d := diff.Of([]string{"web", "all"}, got); d != "" || err != nil {
		t.Errorf("%v\n%s", err, d)
	}
	if _, err := unitFiles("none.service", folders); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}
