package launch

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/internal/needs"
)

// realWrappers are command lines up to the program, which is run by each as it is
// installed. nobody and its group have the number 65534.
var realWrappers = []string{
	"taskset 1", "nice -n 5", "ionice -c 3", "chrt --other 0", "env A=1", "env -i", "timeout 60", "setarch -R", "linux64 -R",
	"numactl --physcpubind=0", "stdbuf -oL", "nohup", "setsid -w", "tini -s --", "catatonit", "dumb-init",
	"gosu nobody", "chpst -u nobody", "s6-setuidgid nobody", "runuser -u nobody --", "start-stop-daemon --start --chuid nobody --exec",
	"sudo -n -u nobody", "setpriv --reuid=65534 --clear-groups", "setpriv --bounding-set=-net_bind_service", "setpriv --inh-caps=-all", "setpriv --nnp",
	"setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps=+net_bind_service --ambient-caps=+net_bind_service",
}

// Each wrapper leaves its program what Apply says, whoever starts it.
func TestRealWrappers(t *testing.T) {
	needs.Root(t, "setpriv", "cat")
	cat := ownCat(t)
	starters := map[string][]string{
		"root":         nil,
		"root ambient": {"setpriv", "--inh-caps=+net_bind_service", "--ambient-caps=+net_bind_service"},
		"user":         {"setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"},
		"user ambient": {"setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=+net_bind_service", "--ambient-caps=+net_bind_service"},
	}
	for _, line := range realWrappers {
		words := strings.Fields(line)
		needs.Root(t, words[0])
		for name, starter := range starters {
			t.Run(line+" by "+name, func(t *testing.T) {
				before, uid := status(t, append(starter, cat, "/proc/self/status"))
				argv := append(append(append([]string{}, starter...), words...), cat, "/proc/self/status")
				if words[0] == "start-stop-daemon" {
					argv = append(argv[:len(argv)-1], "--", "/proc/self/status")
				}
				w, ok, err := Unwrap(argv[len(starter):])
				if !ok || err != nil || w.Doubt != "" || w.Command[0] != cat {
					t.Fatalf("%+v, %v, %v", w, ok, err)
				}
				old := caps.UIDs{Real: uid, Effective: uid, Saved: uid}
				who := old
				if w.User != "" {
					who = caps.UIDs{Real: 65534, Effective: 65534, Saved: 65534}
				}
				held, err := w.Apply(before, old, who)
				if unsure := (*Unsure)(nil); errors.As(err, &unsure) {
					return
				}
				output, errRun := exec.Command(argv[0], argv[1:]...).Output()
				if (errRun != nil) != (err != nil) {
					t.Fatalf("%v: %v, and %v was predicted", argv, errRun, err)
				}
				if err != nil {
					return
				}
				want, err := held.Exec(caps.Exec{UID: who.Real, EUID: who.Real})
				if err != nil {
					t.Fatal(err)
				}
				got, uid := parseStatus(t, output)
				want.Securebits, got.Securebits = 0, 0
				if got != want || uid != who.Real {
					t.Errorf("%v: as %d\n%+v, want as %d\n%+v", argv, uid, got, who.Real, want)
				}
			})
		}
	}
}

// ownCat is a copy of cat(1): start-stop-daemon starts nothing where the same file runs
// already.
func ownCat(t *testing.T) string {
	t.Helper()
	from, err := exec.LookPath("cat")
	if err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "wrappers-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	content, err := os.ReadFile(from)
	path := filepath.Join(dir, "cat")
	if err := errors.Join(err, os.Chmod(dir, 0o755), os.WriteFile(path, content, 0o755)); err != nil {
		t.Fatal(err)
	}
	return path
}

func status(t *testing.T, argv []string) (caps.State, uint32) {
	t.Helper()
	output, err := exec.Command(argv[0], argv[1:]...).Output()
	if err != nil {
		t.Fatal(err)
	}
	return parseStatus(t, output)
}

func parseStatus(t *testing.T, text []byte) (s caps.State, uid uint32) {
	t.Helper()
	s, err := caps.ParseStatus(text)
	if err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	_, ids, ok := strings.Cut(string(text), "Uid:")
	if _, err := fmt.Sscan(ids, &uid); err != nil || !ok {
		t.Fatal(err)
	}
	return s, uid
}
