package lowport_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/lowport/lowport/guard/guardtest"
)

var fence = regexp.MustCompile("(?ms)^```([a-z]*)\n(.*?)^```$")

// readme returns the code blocks of README.md by what they are.
func readme(t *testing.T) (program, report string, commands []string) {
	t.Helper()
	for _, block := range fence.FindAllStringSubmatch(text(t, "README.md"), -1) {
		switch language, body := block[1], block[2]; {
		case language == "go":
			program += body
		case strings.HasPrefix(body, "go "):
			commands = append(commands, strings.Split(strings.TrimSuffix(body, "\n"), "\n")...)
		case strings.Contains(body, "\ncause ("):
			report += body
		case body == "listen tcp :443: bind: permission denied\n": // what Go says by itself
		default:
			t.Errorf("no test knows the block of README.md that begins %.60q", body)
		}
	}
	if program == "" || report == "" || len(commands) == 0 {
		t.Fatalf("README.md has a program of %d bytes, a report of %d and %d commands", len(program), len(report), len(commands))
	}
	return program, report, commands
}

// The program builds as it is printed.
func TestReadmeProgram(t *testing.T) {
	program, _, _ := readme(t)
	if out, err := buildOverlaid(t, map[string]string{"main.go": program}); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// The report is what the guard says of a recorded machine, to the letter.
func TestReadmeReport(t *testing.T) {
	_, report, _ := readme(t)
	_, err := guardtest.OrdinaryUser.Bind(":443")
	if got := fmt.Sprintf("%+v", err); got != report {
		t.Errorf("README.md shows\n%s\nthe guard prints\n%s", report, got)
	}
}

// The commands are those that .ci/run runs.
func TestReadmeCommands(t *testing.T) {
	_, _, commands := readme(t)
	var run []string
	for line := range strings.Lines(text(t, ".ci/run")) {
		line = strings.TrimSuffix(strings.TrimSpace(line), " &")
		run = append(run, strings.TrimPrefix(line, "LOWPORT_LAB=require "))
	}
	for _, command := range commands {
		if module, ok := strings.CutPrefix(command, "go install github.com/lowport/lowport/"); ok {
			if _, err := os.Stat(strings.TrimSuffix(module, "@latest") + "/main.go"); err != nil {
				t.Error(err) // what a release has there
			}
			continue
		}
		if !slices.Contains(run, command) {
			t.Errorf("README.md says %q, which is no line of .ci/run", command)
		}
	}
}

// buildOverlaid builds a package of this module that exists in memory alone,
// and returns what the compiler says.
func buildOverlaid(t *testing.T, files map[string]string) ([]byte, error) {
	t.Helper()
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	dir, replace := t.TempDir(), []string{}
	for name, text := range files {
		real := filepath.Join(dir, name)
		if err := os.WriteFile(real, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		replace = append(replace, quote(filepath.Join(here, "internal", "overlaid", name))+":"+quote(real))
	}
	overlay := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(overlay, []byte(`{"Replace":{`+strings.Join(replace, ",")+`}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	return exec.Command("go", "build", "-overlay", overlay, "-gcflags=-e", "-o", filepath.Join(dir, "out"), "./internal/overlaid").CombinedOutput()
}
