package ask

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/internal/archive"
	"github.com/lowport/lowport/internal/facts"
)

// What the few facts say that Require reads first, all facts of the machine say too: of
// each recorded machine, with what it holds and with everything, and of each that a
// security module lets use less, or that cannot read one of them. Where all of them are
// read they tell as much.
func TestFewFactsAgree(t *testing.T) {
	files, err := filepath.Glob("../../guard/guardtest/testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	told := 0
	for _, file := range files {
		for _, all := range variants(t, file) {
			few, read := facts.Record{}, true
			for _, name := range facts.HeldItems {
				few[name] = all[name]
				read = read && !all.Lacks(name)
			}
			allFacts, fewFacts := all.Facts(), few.Facts()
			for c := range caps.UpTo(caps.Last).All() {
				byAll, byFew := Holds(caps.SetOf(c), allFacts), Holds(caps.SetOf(c), fewFacts)
				if byFew && !byAll || read && byFew != byAll {
					t.Errorf("%s: %v holds by few facts: %t, by all: %t", file, c, byFew, byAll)
				}
				if byFew {
					told++
				}
			}
		}
	}
	if told == 0 {
		t.Error("none holds by few facts")
	}
}

// variants are a recorded machine and what could be read of others like it.
func variants(t *testing.T, file string) []facts.Record {
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	_, archived, _ := strings.Cut(string(b), "\n-- ")
	read := func() facts.Record {
		r, err := archive.Load([]byte("-- " + archived))
		if err != nil {
			t.Fatal(file, err)
		}
		return r
	}
	full := caps.State{Permitted: caps.UpTo(caps.Last), Effective: caps.UpTo(caps.Last), Bounding: caps.UpTo(caps.Last)}
	holds := func(permitted caps.Set) facts.Record {
		r := read()
		status := string(r["proc/thread-self/status"].Data)
		for _, line := range []string{"CapPrm", "CapEff", "CapBnd"} {
			before, after, _ := strings.Cut(status, line+":\t")
			status = before + line + ":\t" + full.Permitted.Hex() + after[16:]
		}
		r["proc/thread-self/status"] = facts.Item{Data: []byte(status)}
		r["threads"] = facts.Item{Data: facts.FormatThreads(map[int]caps.State{1: full, 2: full})}
		r["capget"] = facts.Item{Data: []byte(permitted.Hex() + "\n")}
		return r
	}
	all := []facts.Record{read(), holds(full.Permitted), holds(full.Permitted.Without(caps.NET_BIND_SERVICE))}
	for _, name := range facts.HeldItems {
		r := holds(full.Permitted)
		r[name] = facts.Item{Err: "EPERM"}
		all = append(all, r)
	}
	return all
}
