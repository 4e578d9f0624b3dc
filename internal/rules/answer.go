package rules

import "github.com/lowport/lowport/internal/facts"

// An Answer is yes, no, or could not tell, which is the zero value.
type Answer int8

const (
	Unknown Answer = 0
	Yes     Answer = 1
	No      Answer = -1
)

// ask turns a fact into an answer.
func ask[T any](f facts.Fact[T], ok func(T) bool) Answer {
	v, known := f.Is()
	if !known {
		return Unknown
	}
	return of(ok(v))
}

func of(b bool) Answer {
	if b {
		return Yes
	}
	return No
}

// And is yes if all are, no if any is no.
func And(as ...Answer) Answer {
	all := Yes
	for _, a := range as {
		if a == No {
			return No
		}
		all = min(all, a)
	}
	return all
}

// Or is yes if any is, no if all are.
func Or(as ...Answer) Answer {
	any := No
	for _, a := range as {
		any = max(any, a)
	}
	return any
}
