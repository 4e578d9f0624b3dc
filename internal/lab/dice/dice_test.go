//go:build linux

package dice

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/lowport/lowport/internal/figures"
	"github.com/lowport/lowport/internal/lab/box"
	"github.com/lowport/lowport/internal/needs"
)

// random is how many situations the test draws, by what starts the program.
var random = []struct {
	by string
	n  int
}{{"shell", 60}, {"unit", 20}, {"container", 20}}

var update = flag.Bool("update", false, "lower the ceilings to what was counted")

// ready builds what boxes are made from, or skips.
func ready(t *testing.T) box.Maker {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("the dice need root: sudo -E env LOWPORT_LAB=require go test -count=1 ./internal/lab/dice")
	}
	needs.Root(t)
	var none []string
	for _, tool := range strings.Fields("setpriv unshare nsenter ip setcap sudo su runuser strace script tini dumb-init taskset runc") {
		if _, err := exec.LookPath(tool); err != nil {
			none = append(none, tool)
		}
	}
	if _, err := exec.LookPath("go"); err != nil || len(none) > 0 || box.OwnCgroup() == "" {
		lack(t, fmt.Sprintf("the dice need go, a cgroup v2 hierarchy and %q (internal/lab/packages.txt)", none))
	}
	for _, cgroup := range box.CgroupsOf(box.Ended) { // of a test that was killed
		_ = box.RemoveCgroup(cgroup) // if it is still busy, leave it
	}
	dir := t.TempDir()
	m, err := Build(dir)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// lack ends the test: what it needs is not here.
func lack(t *testing.T, message string) {
	t.Helper()
	if os.Getenv("LOWPORT_LAB") == "require" {
		t.Fatal(message)
	}
	t.Skip(message)
}

// TestDice judges the fixed set of situations, and then some that are drawn.
func TestDice(t *testing.T) {
	m := ready(t)
	t.Run("each value", func(t *testing.T) { eachValue(t, m) })
	t.Run("pairs", func(t *testing.T) { pairsWithin(t, m) })
	for _, r := range random {
		t.Run("drawn/"+r.by, func(t *testing.T) { drawn(t, m, r.by, r.n) })
	}
}

// eachValue makes each value of each knob: one that cannot be made here is not judged at all.
func eachValue(t *testing.T, m box.Maker) {
	var all []Situation
	for _, turn := range allTurns() {
		for _, by := range []string{"shell", "unit", "container"} {
			if s := (Situation{}).with("by", by).with(turn.knob, turn.value).sound(); s[turn.knob] != "" {
				all = append(all, s)
				break
			}
		}
	}
	var unmade []string
	j := NewJudge(m)
	for _, s := range all {
		if _, err := j.binds(s); errors.Is(err, errUnmade) && !s.mayNotStart() {
			unmade = append(unmade, s.String()+": "+err.Error())
		} else if err != nil && !errors.Is(err, errUnmade) {
			t.Fatal(err)
		}
	}
	figures.Add(t, fmt.Sprintf("dice: %d values of %d knobs, not to be made here %d", len(all), len(Knobs), len(unmade)))
	if len(unmade) > 0 {
		lack(t, "not to be made here:\n"+strings.Join(unmade, "\n"))
	}
}

// mayNotStart reports whether the situation is one in which the program is not executed.
func (s Situation) mayNotStart() bool { return !s.is("fault", "none") }

// share is which share of the pairs is judged here: all take minutes (make dice DICE=-pairs).
const share = 8

// pairsWithin judges pairs of values. Of each kind no more may be wrong than its ceiling.
func pairsWithin(t *testing.T, m box.Maker) {
	var fixed []Situation
	for i, s := range Pairs() {
		if i%share == 0 {
			fixed = append(fixed, s)
		}
	}
	count, verdicts := judge(t, m, fixed)
	figures.Add(t, fmt.Sprintf("dice, one of %d of the pairs of values: %v", share, count))
	ceilings := readCeilings(t)
	for i, kind := range []byte(Kinds) {
		if count.Wrong[i] <= ceilings[kind] {
			continue
		}
		t.Errorf("%c: %d are told wrongly, and %d may be", kind, count.Wrong[i], ceilings[kind])
		for _, v := range verdicts {
			if v.Is(kind) {
				t.Logf("[%s] %q\n%s", v.Situation, v.Outcome.Report.causes(), v.Wrong)
			}
		}
	}
	if *update && !t.Failed() {
		lower(t, ceilings, count)
	}
}

// drawn judges situations that are drawn. A kind whose ceiling is 0 may not occur.
func drawn(t *testing.T, m box.Maker, by string, n int) {
	seed := needs.Seed(t)
	var all []Situation
	for i := range n {
		all = append(all, DrawNumber(seed, i+1, by))
	}
	count, verdicts := judge(t, m, all)
	t.Logf("seed %d", seed)
	figures.Add(t, fmt.Sprintf("dice, drawn with a %s: %s", by, count))
	if count.Refused < n/5 {
		t.Errorf("%d of %d are refused: this test sees too little", count.Refused, n)
	}
	ceilings := readCeilings(t)
	for _, v := range verdicts {
		for _, w := range v.Wrong {
			if ceilings[w.Kind] == 0 {
				t.Errorf("seed %d: [%s] %q\n%s", seed, v.Situation, v.Outcome.Report.causes(), w)
			}
		}
	}
}

// judge judges situations on all processors.
func judge(t *testing.T, m box.Maker, all []Situation) (count Count, verdicts []Verdict) {
	t.Helper()
	var mu sync.Mutex
	verdicts = make([]Verdict, len(all))
	get := func(i int) (Situation, bool) {
		if i > len(all) {
			return nil, false
		}
		return all[i-1], true
	}
	err := Each(t.Context(), m, runtime.GOMAXPROCS(0), get, func(i int, v Verdict) {
		mu.Lock()
		defer mu.Unlock()
		verdicts[i-1] = v
		count.Add(v)
	})
	if err != nil {
		t.Fatal(err)
	}
	return count, verdicts
}

// ceilings is how many of these situations may be told wrongly, by kind. They only fall, to
// none.
const ceilings = "testdata/ceilings"

func readCeilings(t *testing.T) map[byte]int {
	t.Helper()
	text, err := os.ReadFile(ceilings)
	if err != nil {
		t.Fatal(err)
	}
	read := make(map[byte]int)
	for line := range strings.Lines(string(text)) {
		var kind byte
		var n int
		if _, err := fmt.Sscanf(line, "%c %d\n", &kind, &n); err != nil {
			t.Fatalf("%s: %q: %v", ceilings, line, err)
		}
		read[kind] = n
	}
	if len(read) != len(Kinds) {
		t.Fatalf("%s: %d kinds, not %d", ceilings, len(read), len(Kinds))
	}
	return read
}

// lower writes the ceilings that have fallen.
func lower(t *testing.T, old map[byte]int, count Count) {
	var b strings.Builder
	for i, kind := range []byte(Kinds) {
		fmt.Fprintf(&b, "%c %d\n", kind, min(old[kind], count.Wrong[i]))
	}
	if err := os.WriteFile(ceilings, []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}
