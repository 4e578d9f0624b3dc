package lowport_test

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/lowport/lowport/"

// listed is a package as `go list -deps -json` prints it.
type listed struct {
	ImportPath    string
	Imports, Deps []string
	CgoFiles      []string
	Standard      bool
}

// list returns the packages that patterns name, with all that they import.
func list(t *testing.T, patterns ...string) map[string]listed {
	t.Helper()
	cmd := exec.Command("go", append([]string{"list", "-deps", "-json=ImportPath,Imports,Deps,CgoFiles,Standard"}, patterns...)...)
	out, err := cmd.Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		t.Fatalf("go list: %s", exit.Stderr)
	}
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]listed{}
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p listed
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		all[p.ImportPath] = p
	}
	return all
}

// What a server imports has neither libcap nor C of our own or of a third party.
func TestNoLibcap(t *testing.T) {
	for _, pkg := range []string{"caps", "privport", "guard"} {
		all := list(t, "./"+pkg)
		if len(all[module+pkg].Deps) == 0 {
			t.Fatalf("%s imports nothing: this test sees nothing", pkg)
		}
		for path, p := range all {
			if strings.Contains(path, "/libcap/") {
				t.Errorf("%s imports %s", pkg, path)
			}
			if len(p.CgoFiles) > 0 && !p.Standard {
				t.Errorf("%s imports %s, which is cgo", pkg, path)
			}
		}
	}
}

// One package alone lets go of capabilities, by libcap.
func TestOneImporterOfLibcap(t *testing.T) {
	var importers []string
	for path, p := range list(t, "./...") {
		if strings.HasPrefix(path, module) && !strings.HasPrefix(path, module+"internal/bench") && slices.ContainsFunc(p.Imports, func(i string) bool { return strings.Contains(i, "/libcap/") }) {
			importers = append(importers, path)
		}
	}
	if !slices.Equal(importers, []string{module + "caps/drop"}) {
		t.Errorf("libcap is imported by %v, not by caps/drop alone", importers)
	}
}

// Imports run one way through the house: each room sees those before it, and
// none of those behind it or beside it.
func TestImportsRunOneWay(t *testing.T) {
	rooms := [][]string{
		{"internal/errnos", "internal/exit", "internal/term"},
		{"guard/report"},
		{"internal/thread", "internal/task"},
		{"caps", "internal/program"},
		{"internal/began", "internal/dropped"},
		{"internal/facts", "privport"},
		{"internal/archive", "internal/live", "internal/kernel", "internal/mask"},
		{"internal/launch"},
		{"internal/remedy"},
		{"internal/ask", "internal/audit"},
		{"internal/predict", "guard", "guard/audit"},
		{"guard/preflight", "guard/recording"},
		{"guard/guardtest", "guard/unit"},
		{"examples"},
	}
	level := func(path string) int {
		return slices.IndexFunc(rooms, func(room []string) bool {
			return slices.ContainsFunc(room, func(name string) bool {
				return path == module+name || name == "examples" && strings.HasPrefix(path, module+name+"/") && !strings.Contains(path, "/internal/")
			})
		})
	}
	seen := map[int]bool{}
	for path, p := range list(t, "./...") {
		at := level(path)
		if at < 0 {
			continue
		}
		seen[at] = true
		for _, i := range p.Imports {
			if to := level(i); to >= at && !strings.HasPrefix(i, module+"examples/internal/") {
				t.Errorf("%s imports %s", path, i)
			}
		}
	}
	for i, room := range rooms {
		if !seen[i] && room[0] != "guard/guardtest" { // it may come later
			t.Errorf("no package of %v was seen", room)
		}
	}
	// A server links none of what is for who deploys it.
	for path := range list(t, "./guard") {
		for _, other := range []string{"guard/audit", "guard/preflight", "guard/recording", "internal/audit", "internal/launch", "internal/mask", "internal/archive", "internal/txtar"} {
			if path == module+other {
				t.Errorf("guard links %s", other)
			}
		}
	}
	// Some see fewer rooms than the order would let them.
	for room, may := range map[string][]string{
		"caps":           {"internal/task"},
		"internal/facts": {"caps"}, // pure: nothing is read
		"privport":       {"caps", "internal/thread"},
	} {
		for _, i := range list(t, "./"+room)[module+room].Imports {
			if name, ours := strings.CutPrefix(i, module); ours && !slices.Contains(may, name) {
				t.Errorf("%s imports %s", room, i)
			}
		}
	}
}
