package dice

import "slices"

// pairKnobs is how many knobs a situation of [Pairs] has at most. Each more would take fewer
// situations, and hide more obstacles behind one another.
const pairKnobs = 5

// A turn is a knob with one of its values.
type turn struct{ knob, value string }

// A pair is two turns of different knobs, in the order of Knobs.
type pair [2]turn

// Pairs returns a fixed set of situations in which every pair of values occurs that can occur in
// one situation at all.
func Pairs() []Situation {
	turns := allTurns()
	order := allPairs(turns)
	open := make(map[pair]bool)
	for _, p := range order {
		open[p] = true
	}
	var all []Situation
	for _, p := range order {
		if !open[p] {
			continue
		}
		s := p.situation()
		for len(s) < pairKnobs {
			next := s.widened(turns, open)
			if next == nil {
				break
			}
			s = next
		}
		for _, done := range s.pairs() {
			delete(open, done)
		}
		all = append(all, s)
	}
	return all
}

func allTurns() (turns []turn) {
	for _, k := range Knobs {
		if k.Name == "by" {
			continue
		}
		for _, v := range k.Values[1:] {
			turns = append(turns, turn{k.Name, v})
		}
	}
	return turns
}

// allPairs are the pairs that a situation can have.
func allPairs(turns []turn) (pairs []pair) {
	for i, a := range turns {
		for _, b := range turns[i+1:] {
			p := pair{a, b}
			if a.knob != b.knob && slices.Contains(p.situation().pairs(), p) {
				pairs = append(pairs, p)
			}
		}
	}
	return pairs
}

func (p pair) situation() Situation {
	return Situation{}.with(p[0].knob, p[0].value).with(p[1].knob, p[1].value).sound()
}

// widened returns the situation with the one turn more that covers most open pairs, or nil where
// none covers any.
func (s Situation) widened(turns []turn, open map[pair]bool) (best Situation) {
	most := 0
	for _, t := range turns {
		if s[t.knob] != "" {
			continue
		}
		next := s.with(t.knob, t.value).sound()
		if len(next) <= len(s) || !next.has(s) {
			continue
		}
		covers := 0
		for _, p := range next.pairs() {
			if open[p] && (p[0] == t || p[1] == t) {
				covers++
			}
		}
		if covers > most {
			most, best = covers, next
		}
	}
	return best
}

// has reports whether the situation has all values of another.
func (s Situation) has(other Situation) bool {
	for name, value := range other {
		if s[name] != value {
			return false
		}
	}
	return true
}

// pairs are those that the situation has.
func (s Situation) pairs() (pairs []pair) {
	var turns []turn
	for _, k := range Knobs {
		if v, ok := s[k.Name]; ok {
			turns = append(turns, turn{k.Name, v})
		}
	}
	for i, a := range turns {
		for _, b := range turns[i+1:] {
			pairs = append(pairs, pair{a, b})
		}
	}
	return pairs
}
