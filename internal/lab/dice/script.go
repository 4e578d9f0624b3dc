//go:build linux

package dice

import (
	"fmt"
	"strings"
)

// Script returns the situation as a scenario of the lab, with what was said of it as its claims.
// What was wrong stands above them: those claims are to be put right before it is committed.
func (v Verdict) Script() string {
	s, o := v.Situation, v.Outcome
	p := s.plan()
	var b strings.Builder
	for line := range strings.Lines(s.String() + "\n") {
		b.WriteString("# " + line)
	}
	for _, w := range v.Wrong {
		b.WriteString("# " + unwrapped(w.String()) + "\n")
	}
	for _, need := range s.needs() {
		b.WriteString("needs " + need + "\n")
	}
	b.WriteString("unpredicted 'the program is one of the dice'\n")
	if p.Root || p.Apart {
		b.WriteString("operator root\n")
	}
	if p.Apart {
		b.WriteString("shell sh /scenario/there " + commandLine(p.shell()) + "\n")
	}
	fmt.Fprintf(&b, "args %s\n", strings.Join(s.target(), " "))
	if o.Bound {
		b.WriteString("allowed " + o.Report.Via + "\n")
	} else if len(o.Report.Causes) > 0 {
		c := o.Report.Causes[0]
		further := strings.Join(o.Report.causes()[1:], " ")
		fmt.Fprintf(&b, "refused %d %s %s %s\n", o.Code, c.ID, c.Certainty, further)
		fmt.Fprintf(&b, "fixed %s\n", strings.Join(o.Report.fixes(), " "))
	}
	prepare := strings.TrimPrefix(p.Prepare, "set -eu\n")
	start := "exec " + s.launchScript() + "\n"
	if !p.Apart {
		return b.String() + "-- prepare --\n" + prepare + "-- start --\n" + start
	}
	return b.String() + "-- prepare --\nsh -eu /scenario/place\nsh /scenario/there sh -eu /scenario/inside\n" +
		"-- start --\nexec sh /scenario/there sh -eu /scenario/program \"$@\"\n" +
		"-- there --\nplace=$(cat /run/place)\nexec nsenter -t \"$place\" -m -n -p -r -w -- \"$@\"\n" +
		"-- place --\n" + p.Place + "-- inside --\n" + prepare + "-- program --\n" + start
}

// launchScript starts the program with a script's arguments for its target.
func (s Situation) launchScript() string {
	words, target := s.launch(s.program()), s.target()
	if s.is("wrapper", "script") { // its last word but one is a command line
		i := len(words) - 2
		command := strings.TrimSuffix(words[i], commandLine(target))
		return commandLine(words[:i]) + " " + commandLine([]string{command}) + `"$*" ` + words[i+1]
	}
	return commandLine(words[:len(words)-len(target)]) + ` "$@"`
}

// needs are the programs that a machine may lack.
func (s Situation) needs() (names []string) {
	if !s.is("tracer", "none") {
		names = append(names, "strace")
	}
	if s.is("wrapper", "tini", "dumb-init", "script") {
		names = append(names, s.get("wrapper"))
	}
	if !s.is("landlock", "none") {
		names = append(names, "landlock")
	}
	if !s.is("userns", "none") {
		names = append(names, "userns")
	}
	return names
}
