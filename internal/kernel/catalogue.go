package kernel

import (
	"slices"

	"github.com/lowport/lowport/internal/facts"
)

// A cause is one obstacle, in words that hold wherever it occurs. The function words fills
// in the placeholders {cap}, {exe}, {unit}, {port}, {start}, {addr}, {tcp}, {ss} and
// {stream} for the case at hand; only the cause's own say function can fill in {why} and
// {owner}.
type cause struct {
	id string
	wording
	kernel  string // the source of the rule: a function of the kernel or a man page
	see     string // commands that show it by hand, one per line
	helps   string // what removes it
	useless []useless
	exit    int // the exit status of a program that fails because of it; 0 for exit.NoPerm

	show    func(*look)                   // adds the facts that it rests on to the evidence
	say     func(*look, wording) wording  // adapts the wording to the case at hand; nil to keep it
	certain func(*facts.Facts, Goal) bool // reports whether no other cause looks the same; nil for always
}

// A wording says what is wrong, in one line, and which rule of the kernel is behind it.
type wording struct{ summary, detail string }

var catalogue = slices.Concat(addressCauses, policyCauses, execCauses, nothingCauses)

// find returns the cause with an id.
func find(id string) cause {
	for _, c := range catalogue {
		if c.id == id {
			return c
		}
	}
	return cause{id: id}
}

func never(*facts.Facts, Goal) bool { return false }
