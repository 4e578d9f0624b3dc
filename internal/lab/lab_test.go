//go:build linux

package lab

import (
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/lowport/lowport/internal/figures"
	"github.com/lowport/lowport/internal/lab/box"
)

// programs are what the scenarios find in /lab.
var programs = map[string]string{
	"doctor":     "github.com/lowport/lowport/examples/doctor",
	"counts":     "github.com/lowport/lowport/internal/lab/counts",
	"crowd":      "github.com/lowport/lowport/internal/lab/crowd",
	"denybind":   "github.com/lowport/lowport/internal/lab/denybind",
	"server":     "github.com/lowport/lowport/examples/server",
	"run":        "github.com/lowport/lowport/examples/run",
	"filecaps":   "github.com/lowport/lowport/examples/filecaps",
	"guest":      "github.com/lowport/lowport/internal/lab/dice/guest",
	"hold":       "github.com/lowport/lowport/internal/lab/hold",
	"filter":     "github.com/lowport/lowport/internal/lab/filter",
	"landlocked": "github.com/lowport/lowport/internal/lab/landlocked",
	"listener":   "github.com/lowport/lowport/internal/lab/listener",
	"load":       "github.com/lowport/lowport/internal/lab/load",
	"late":       "github.com/lowport/lowport/internal/lab/late",
	"unit":       "github.com/lowport/lowport/examples/unit",
	"noproto":    "github.com/lowport/lowport/internal/lab/noproto",
	"occupy":     "github.com/lowport/lowport/internal/lab/occupy",
	"plain":      "github.com/lowport/lowport/internal/lab/plain",
	"pass":       "github.com/lowport/lowport/internal/lab/pass",
	"snatch":     "github.com/lowport/lowport/internal/lab/snatch",
	"letgo":      "github.com/lowport/lowport/internal/lab/letgo",
	"linked":     "github.com/lowport/lowport/internal/lab/linked",
	"unequal":    "github.com/lowport/lowport/internal/lab/unequal",
}

// modules are programs in /lab that are modules of their own, and their folders.
var modules = map[string]string{
	"check":  "../../examples/manifest/check",
	"dns":    "../../examples/dns",
	"dropin": "dropin",
	"http3":  "../../examples/http3",
}

func TestScenarios(t *testing.T) {
	h := build(t)
	var counts tally
	had := traces()
	t.Cleanup(func() {
		figures.Add(t, counts.String())
		leavesNothing(t, had)
	})
	playAll(t, "testdata/script", func(t player, file string) { playScenario(t, file, h, &counts, true) })
}

// leavesNothing checks that this machine is as it was.
func leavesNothing(t *testing.T, had []string) {
	for _, dir := range box.CgroupsOf(box.This) {
		t.Errorf("cgroup %s is left", dir)
	}
	for _, file := range traces() {
		if !slices.Contains(had, file) {
			t.Errorf("outside of any sandbox: %s", file)
		}
	}
}

// traces are the files of this machine that a fix would make which ran outside of
// a sandbox. One of them may be its owner's own: who pastes a fix has it.
func traces() (files []string) {
	for _, pattern := range []string{"/etc/sysctl.d/50-lowport*", "/etc/systemd/system/*/*-lowport*", "/etc/systemd/resolved.conf.d/*-lowport*", "/etc/systemd/system/*-tcp*-*.socket", "/etc/systemd/system/*-udp*-*.socket", "/tmp/pwned"} {
		found, _ := filepath.Glob(pattern)
		files = append(files, found...)
	}
	return files
}

// build makes what the sandboxes are made from, or skips.
func build(t *testing.T) *house {
	t.Helper()
	needRoot(t)
	if none := missing(tools...); len(none) > 0 {
		lack(t, none...)
	}
	if box.OwnCgroup() == "" {
		lack(t, "a mounted cgroup v2 hierarchy")
	}
	// What a test that was killed has left.
	for _, dir := range box.CgroupsOf(box.Ended) {
		_ = box.RemoveCgroup(dir) // if it is still busy, leave it
	}
	dir := t.TempDir()
	if ours != "" {
		h := &house{base: dir, bin: ours}
		if err := box.WriteBase(h.base); err != nil {
			t.Fatal(err)
		}
		copyPrograms(t, h.bin)
		return h
	}
	h := &house{base: filepath.Join(dir, "base"), bin: filepath.Join(dir, "bin")}
	for _, d := range []string{h.base, h.bin} {
		if err := os.Mkdir(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := box.WriteBase(h.base); err != nil {
		t.Fatal(err)
	}
	compile := func(dir, name, pkg string) {
		cmd := exec.Command("go", "build", "-o", filepath.Join(h.bin, name), pkg)
		if name == "linked" {
			cmd.Args = slices.Insert(cmd.Args, 2, "-ldflags=-r=$ORIGIN/lib")
		}
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v: %v\n%s", cmd, err, out)
		}
	}
	for name, pkg := range programs {
		compile("", name, pkg)
	}
	for name, dir := range modules {
		compile(dir, name, ".")
	}
	noteSources(t)
	copyPrograms(t, h.bin)
	h.goes = goes(t)
	box, err := h.open(plain, dir, false)
	if err == nil {
		err = box.close()
	}
	if err != nil {
		lack(t, fmt.Sprintf("namespaces, overlayfs and cgroups as root has them on a machine of its own: %v", err))
	}
	return h
}

// noteSources looks at every source file of the module, and at what scenarios take
// from examples/deploy. Both are used behind go test's back, and it would otherwise
// take an old result for a new one.
func noteSources(t *testing.T) {
	t.Helper()
	err := filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		if err == nil && (filepath.Ext(path) == ".go" || strings.Contains(filepath.ToSlash(path), "examples/deploy/")) {
			_, err = os.Stat(path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// copyPrograms copies those programs that are scripts.
func copyPrograms(t *testing.T, bin string) {
	t.Helper()
	for _, name := range []string{"start-unit", "paste-fix", "way.sh", "listener.py"} {
		copyProgram(t, filepath.Join("testdata/sandbox", name), filepath.Join(bin, name))
	}
}

func copyProgram(t *testing.T, from, to string) {
	t.Helper()
	content, err := os.ReadFile(from)
	if err == nil {
		err = os.WriteFile(to, content, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// goes says where Go and its caches are, for the sandboxes that need them.
func goes(t *testing.T) []string {
	t.Helper()
	out, err := exec.Command("go", "env", "GOROOT", "GOMODCACHE", "GOCACHE", "GOMOD").Output()
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	if len(lines) != 4 {
		t.Fatalf("go env: %q", lines)
	}
	return []string{
		"LAB_GOROOT=" + lines[0], "LAB_MODCACHE=" + lines[1],
		"LAB_GOCACHE=" + lines[2], "LAB_SRC=" + filepath.Dir(lines[3]),
	}
}
