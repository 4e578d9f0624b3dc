package dice

import "testing"

// Each value occurs with each other value, and the set is not empty.
func TestPairs(t *testing.T) {
	have := make(map[pair]bool)
	all := Pairs()
	for _, s := range all {
		for _, p := range s.pairs() {
			have[p] = true
		}
	}
	want := allPairs(allTurns())
	for _, p := range want {
		if !have[p] {
			t.Errorf("%v does not occur", p)
		}
	}
	if len(want) < 4000 {
		t.Errorf("%d pairs: this test sees too little", len(want))
	}
	t.Logf("%d pairs in %d situations", len(want), len(all))
}
