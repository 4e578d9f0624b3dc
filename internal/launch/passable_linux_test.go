package launch

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/lowport/lowport/internal/facts"
)

// A user starts in a folder only if every folder on the way lets it in.
func TestPassable(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"open", "open/closed", "closed", "closed/open"} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"open/closed", "closed"} {
		if err := os.Chmod(filepath.Join(dir, name), 0o700); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = os.Chmod(filepath.Join(dir, name), 0o755) })
	}
	stranger := facts.Account{Name: "app", UID: uint32(os.Getuid()) + 1000, Groups: []uint32{uint32(os.Getgid()) + 1000}}
	for _, tt := range []struct {
		folder, want string
		who          facts.Account
		exec         string
	}{
		{"/open", "", stranger, "/srv/app"},
		{"/open/closed", "stops", stranger, "/srv/app"},
		{"/closed/open", "stops", stranger, "/srv/app"},
		{"/closed", "", facts.Account{Name: "root"}, "/srv/app"},
		{"/closed", "", stranger, "+/srv/app"},
		{"/closed", "", facts.Account{UID: uint32(os.Getuid())}, "/srv/app"},
	} {
		u := read(t, "ExecStart=\nExecStart="+tt.exec+"\nWorkingDirectory="+tt.folder)
		command, err := u.Main("")
		if err != nil {
			t.Fatal(err)
		}
		if got := told(u, place{root: os.DirFS(dir), command: command, who: tt.who}, workingDirectory); got != tt.want {
			t.Errorf("%s into %s as %d: %q, want %q", tt.exec, tt.folder, tt.who.UID, got, tt.want)
		}
	}
}
