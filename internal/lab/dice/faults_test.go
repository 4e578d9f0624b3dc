//go:build linux

package dice

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/lowport/lowport/internal/figures"
	"github.com/lowport/lowport/internal/lab/box"
)

var plant = flag.Bool("faults", false, "plant faults and see them found: minutes")

// within is in how many draws a planted fault is to be found.
const within = 200

// faults are planted one at a time: each makes a rule wrong that is right.
var faults = []struct{ name, file, right, wrong string }{
	{"two gates swapped", "internal/kernel/goal.go",
		"func (g Goal) early() bool { return g.v4() ||", "func (g Goal) early() bool { return !g.v4() ||"},
	{"quoting weakened", "internal/term/quote.go", "case printable(s):\n\t\treturn quoted(s)", "case printable(s):\n\t\treturn s"},
	{"a capability confused", "internal/kernel/goal.go", "return caps.SetOf(caps.NET_BIND_SERVICE)", "return caps.SetOf(caps.NET_BROADCAST)"},
	{"a namespace ignored", "internal/kernel/namespace.go", "return o != facts.OwnerOutside", "return true"},
	{"absent read as no", "internal/kernel/answer.go", "if !known {\n\t\treturn Unknown", "if !known {\n\t\treturn No"},
}

// A fault that is planted in a rule is found within a few draws: something is said wrongly then
// that is not said without it.
func TestFaults(t *testing.T) {
	if !*plant {
		t.Skip("make faults")
	}
	good := ready(t)
	var found []string
	for _, fault := range faults {
		bad := planted(t, fault.file, fault.right, fault.wrong)
		n := findFault(t, good, bad)
		if n == 0 {
			t.Errorf("%s: not found within %d draws", fault.name, within)
			continue
		}
		found = append(found, fmt.Sprintf("%s %d", fault.name, n))
	}
	figures.Add(t, "dice, planted faults and the draw that found them: "+strings.Join(found, ", "))
}

// planted builds the programs from a source with another text.
func planted(t *testing.T, file, right, wrong string) box.Maker {
	t.Helper()
	path, err := filepath.Abs("../../../" + file)
	if err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Count(string(source), right) != 1 {
		t.Fatalf("%s does not have %q once: plant the fault elsewhere", file, right)
	}
	dir := t.TempDir()
	changed, overlay := filepath.Join(dir, "changed.go"), filepath.Join(dir, "overlay.json")
	text, err := json.Marshal(map[string]any{"Replace": map[string]string{path: changed}})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(changed, []byte(strings.Replace(string(source), right, wrong, 1)), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(overlay, text, 0o644); err != nil {
		t.Fatal(err)
	}
	m, err := Build(dir, "-overlay", overlay)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// findFault returns the first draw of which the program with the fault says something wrong that
// the one without does not, 0 if there is none.
func findFault(t *testing.T, good, bad box.Maker) int {
	t.Helper()
	judges := [2]*Judge{NewJudge(good), NewJudge(bad)}
	for i := 1; i <= within; i++ {
		var said [2][]string
		for j := 1; j >= 0; j-- { // the good one has to be asked only about what is wrong
			v, err := judges[j].Judge(DrawNumber(1, i, "shell"))
			if err != nil {
				t.Fatal(err)
			}
			for _, w := range v.Wrong {
				said[j] = append(said[j], fmt.Sprintf("%c %s", w.Kind, w.Said))
			}
			if len(said[1]) == 0 {
				break
			}
		}
		for _, wrong := range said[1] {
			if !slices.Contains(said[0], wrong) {
				t.Logf("draw %d [%s]: %s", i, DrawNumber(1, i, "shell"), wrong)
				return i
			}
		}
	}
	return 0
}
