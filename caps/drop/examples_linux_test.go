package drop_test

import (
	"flag"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/lowport/lowport/internal/needs"
)

// exampleChild is the child that package testing runs one example in, to compare
// what it prints.
const exampleChild = "example"

// dropping are the examples that need such a child, because they give up what the
// process holds, and whether they take root.
var dropping = map[string]bool{"All": false, "ToUser": true, "Except": true, "Clamp": true, "Held": false, "Error": false}

// skipDropping keeps them out of this process.
func skipDropping() {
	flag.Parse()
	skip := flag.Lookup("test.skip").Value
	names := strings.Join(slices.Sorted(maps.Keys(dropping)), "|")
	skip.Set(strings.TrimPrefix(skip.String()+"|^Example("+names+")$", "|"))
}

func TestExamples(t *testing.T) {
	for name, root := range dropping {
		t.Run(name, func(t *testing.T) {
			if root {
				needs.Root(t)
			}
			cmd := child(t, exampleChild)
			cmd.Args = append(cmd.Args, "-test.v", "-test.run=^Example"+name+"$")
			out, err := cmd.CombinedOutput()
			if err != nil || !strings.Contains(string(out), "--- PASS: Example"+name) {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}
