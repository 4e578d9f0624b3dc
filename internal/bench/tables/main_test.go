package main

import (
	"bytes"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

// The tables of the README are what was measured.
func TestReadme(t *testing.T) {
	page, err := os.ReadFile("../" + readme)
	if err != nil {
		t.Fatal(err)
	}
	measured, err := os.ReadFile("../" + results)
	if err != nil {
		t.Fatal(err)
	}
	want, missed, err := Render(page, measured)
	if err != nil || !bytes.Equal(page, want) {
		t.Errorf("the tables are not of %s (go run ./tables -again): %v", results, err)
	}
	for _, m := range missed {
		t.Errorf("a bar is missed: %s", m)
	}
}

// A missed bar is named, and a benchmark that did not run is an error.
func TestRender(t *testing.T) {
	page, _ := os.ReadFile("../" + readme)
	measured, _ := os.ReadFile("../" + results)
	slow := regexp.MustCompile(`(?m)^(BenchmarkProcess/Process/raw.*\s)[0-9.]+ ratio`).ReplaceAll(measured, []byte("${1}1.30 ratio"))
	if _, missed, err := Render(page, slow); err != nil || !strings.Contains(strings.Join(missed, ";"), "caps.Process: 1.30") {
		t.Errorf("%q, %v", missed, err)
	}
	none := regexp.MustCompile(`(?m)^BenchmarkProcess/Process/raw.*\n`).ReplaceAll(measured, nil)
	if _, _, err := Render(page, none); err == nil {
		t.Error("a benchmark that is missing goes unnoticed")
	}
}

// claim is a speed, or a comparison of speeds.
var claim = regexp.MustCompile(`[0-9.]+ ?(µs|ns|ms)\b|[0-9.]+ times (as fast|as long|faster|slower)`)

// A speed that any page of this repository claims is one that was measured here. The page of
// the watch says how its own module measures its, and the times in the change log are of waiting.
func TestClaims(t *testing.T) {
	out, err := exec.Command("git", "-C", "../../..", "ls-files", "*.md").Output()
	if err != nil {
		t.Skip("no git, or no repository: ", err)
	}
	bench, err := os.ReadFile("../" + readme)
	if err != nil {
		t.Fatal(err)
	}
	for name := range strings.FieldsSeq(string(out)) {
		if name == "internal/bench/README.md" || name == "docs/watch.md" || name == "CHANGELOG.md" || strings.Contains(name, "testdata/") {
			continue
		}
		page, err := os.ReadFile("../../../" + name)
		if err != nil {
			t.Fatal(err)
		}
		for _, said := range claim.FindAllString(string(page), -1) {
			if !bytes.Contains(bench, []byte(said)) {
				t.Errorf("%s claims %q, which internal/bench/README.md does not have", name, said)
			}
		}
	}
}
