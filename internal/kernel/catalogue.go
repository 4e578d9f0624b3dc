package kernel

import (
	"slices"

	"github.com/lowport/lowport/internal/facts"
)

// A cause is one obstacle, in words that hold wherever it occurs. In them {cap}, {exe},
// {unit}, {port}, {start}, {addr}, {tcp}, {ss} and {stream} stand for those of the case at
// hand, and {why} and {owner} for what only its own say function knows.
type cause struct {
	id string
	wording
	kernel  string // where the rule stands: a function of the kernel or a man page
	see     string // commands that show it by hand, one a line
	helps   string // what changes it
	useless []useless
	exit    int // the status of a program that ends with it; 0 for exit.NoPerm

	show    func(*look)                   // adds the facts that it rests on to the evidence
	say     func(*look, wording) wording  // gives the words of the case at hand; nil for those above
	certain func(*facts.Facts, Goal) bool // whether no other cause looks the same; nil for yes
}

// A wording is what is wrong, in one line, and the rule of the kernel behind it.
type wording struct{ summary, detail string }

var catalogue = slices.Concat(addressCauses, policyCauses, execCauses, nothingCauses)

// find returns the cause of an id.
func find(id string) cause {
	for _, c := range catalogue {
		if c.id == id {
			return c
		}
	}
	return cause{id: id}
}

func never(*facts.Facts, Goal) bool { return false }
