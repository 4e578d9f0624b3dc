//go:build linux

package dice

import "slices"

// Shrink returns the smallest situation it finds of which something of the same kind is wrong:
// knobs are left out, one at a time, until none can be.
func (j *Judge) Shrink(v Verdict, kind byte) (Verdict, error) {
	for again := true; again; {
		again = false
		for _, k := range Knobs {
			if v.Situation[k.Name] == "" {
				continue
			}
			smaller, err := j.Judge(v.Situation.without(k.Name))
			if err != nil {
				return v, err
			}
			if smaller.Is(kind) {
				v, again = smaller, true
			}
		}
	}
	return v, nil
}

// Is reports whether something of a kind is wrong.
func (v Verdict) Is(kind byte) bool {
	return slices.ContainsFunc(v.Wrong, func(w Wrong) bool { return w.Kind == kind })
}
