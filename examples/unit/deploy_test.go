package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The units in examples/deploy are those that the commands in its README.md write.
func TestDeploy(t *testing.T) {
	readme, err := os.ReadFile("../deploy/README.md")
	if err != nil {
		t.Fatal(err)
	}
	written := map[string]string{}
	for line := range strings.Lines(string(readme)) {
		command, ok := strings.CutPrefix(line, "go run ./examples/unit ")
		if !ok {
			continue
		}
		args, err := split(command)
		if err != nil {
			t.Fatal(err)
		}
		o, err := parse(args)
		if err != nil {
			t.Fatal(err)
		}
		files, err := o.files()
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			written[filepath.Join("..", strings.TrimPrefix(o.dir, "examples"), f.Name)] = f.Content
		}
	}
	there, err := filepath.Glob("../deploy/systemd/*/*")
	if err != nil || len(there) < 3 {
		t.Fatalf("%q, %v", there, err)
	}
	if len(written) != len(there) {
		t.Errorf("%d files are written, there are %q", len(written), there)
	}
	for _, name := range there {
		content, err := os.ReadFile(name)
		if err != nil || string(content) != written[name] {
			t.Errorf("%s is not what its command writes (%v)", name, err)
		}
	}
}
