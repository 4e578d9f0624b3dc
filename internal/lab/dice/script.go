package dice

import "strings"

// Script returns the situation as a script for the lab, without its claims.
func (s Situation) Script() string {
	p := s.plan()
	var b strings.Builder
	if p.Place != "" {
		b.WriteString("-- place --\n" + p.Place)
	}
	b.WriteString("-- prepare --\n" + strings.TrimPrefix(p.Prepare, "set -eu\n") + "-- start --\n" + p.Start + "\n")
	return b.String()
}
