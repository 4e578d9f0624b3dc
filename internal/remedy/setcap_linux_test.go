package remedy

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/internal/diff"
	"github.com/lowport/lowport/internal/needs"
)

// What setcap makes of our text is the file that was meant.
func TestCapTextBySetcap(t *testing.T) {
	needs.Root(t, "setcap") // to stamp a file
	bind, admin, raw := caps.SetOf(caps.NET_BIND_SERVICE), caps.SetOf(caps.NET_ADMIN), caps.SetOf(caps.NET_RAW)
	for _, want := range []caps.File{
		{Permitted: bind},
		{Permitted: bind, Effective: true},
		{Permitted: bind | admin, Effective: true},
		{Permitted: bind, Inheritable: bind, Effective: true},
		{Permitted: bind | admin, Inheritable: admin | raw},
		{Permitted: bind | admin, Inheritable: admin | raw, Effective: true},
		{Permitted: bind | caps.SetOf(caps.CHECKPOINT_RESTORE)},
		{Permitted: caps.UpTo(caps.Last)},
	} {
		want.Version = 2
		path := filepath.Join(t.TempDir(), "app")
		if err := os.WriteFile(path, nil, 0o755); err != nil {
			t.Fatal(err)
		}
		if out, err := exec.Command("sh", "-c", Command("setcap", capText(want), path)).CombinedOutput(); err != nil {
			t.Errorf("setcap %q: %v: %s", capText(want), err, out)
			continue
		}
		got, err := caps.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if diff := diff.Of(want, got); diff != "" {
			t.Errorf("setcap %q:\n%s", capText(want), diff)
		}
	}
}
