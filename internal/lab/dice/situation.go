package dice

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// A Knob is one property of a situation.
type Knob struct {
	Name   string
	Values []string // the first is the harmless one
	// Question is set where the knob is part of what is asked, as the protocol is: no cause
	// stands for it, and the judge leaves it as it is.
	Question bool
}

// A Situation is the values of the knobs that are not harmless.
type Situation map[string]string

// ParseSituation reads what String writes.
func ParseSituation(text string) (Situation, error) {
	s := make(Situation)
	for word := range strings.FieldsSeq(text) {
		name, value, ok := strings.Cut(word, "=")
		k, known := knob(name)
		if !ok || !known || !slices.Contains(k.Values, value) {
			return nil, fmt.Errorf("%q is no knob and its value", word)
		}
		if value != k.Values[0] {
			s[name] = value
		}
	}
	return s, nil
}

// String returns the values as "file=none nnp=later", in the order of [Knobs].
func (s Situation) String() string {
	var words []string
	for _, k := range Knobs {
		if v, ok := s[k.Name]; ok {
			words = append(words, k.Name+"="+v)
		}
	}
	return strings.Join(words, " ")
}

// get returns the value of a knob.
func (s Situation) get(name string) string {
	if v, ok := s[name]; ok {
		return v
	}
	k, ok := knob(name)
	if !ok {
		panic("no knob " + name)
	}
	return k.Values[0]
}

// is reports whether a knob has one of the values.
func (s Situation) is(name string, values ...string) bool {
	return slices.Contains(values, s.get(name))
}

// with returns the situation with another value.
func (s Situation) with(name, value string) Situation {
	s = maps.Clone(s)
	delete(s, name)
	if k, _ := knob(name); value != k.Values[0] {
		s[name] = value
	}
	return s
}

// without returns the situation with the knobs made harmless, or those that are named with
// a value turned to it.
func (s Situation) without(names ...string) Situation {
	s = maps.Clone(s)
	for _, name := range names {
		delete(s, name)
		if name, value, ok := strings.Cut(name, "="); ok {
			s = s.with(name, value)
		}
	}
	return s
}

// only returns the situation with all knobs made harmless but these and the questions.
func (s Situation) only(names ...string) Situation {
	s = maps.Clone(s)
	maps.DeleteFunc(s, func(name, _ string) bool {
		k, _ := knob(name)
		return !k.Question && !slices.Contains(names, name)
	})
	return s
}

func knob(name string) (Knob, bool) {
	k, ok := byName[name]
	return k, ok
}

// byName are the knobs by their names.
var byName = func() map[string]Knob {
	all := make(map[string]Knob)
	for _, k := range Knobs {
		all[k.Name] = k
	}
	return all
}()
