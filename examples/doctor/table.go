package main

import (
	"fmt"
	"strings"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/guard"
	"github.com/lowport/lowport/internal/term"
)

// table shows the five sets of the thread that asked, and the gates that the
// decision went through, in columns.
func table(r guard.Report, t term.Terminal) string {
	var b strings.Builder
	facts := map[string]guard.Fact{}
	for _, f := range r.Facts {
		facts[f.Name] = f
	}
	for _, set := range []struct{ name, fact string }{
		{"inheritable", "CapInh"}, {"permitted", "CapPrm"}, {"effective", "CapEff"}, {"bounding", "CapBnd"}, {"ambient", "CapAmb"},
	} {
		line := fmt.Sprintf("%-11s  %-16s  ", set.name, facts[set.fact].Value)
		b.WriteString(line + cut(members(facts[set.fact]), t.Width-len(line)) + "\n")
	}
	answers := 0
	for _, g := range r.Gates {
		answers = max(answers, len(g.Answer))
	}
	for i, g := range r.Gates {
		if i == 0 {
			b.WriteString("\n")
		}
		colour := map[string]string{"yes": green, "no": red}[g.Answer]
		if g.Name == "port" {
			colour = "" // neither answer refuses
		}
		fmt.Fprintf(&b, "%-11s  %s%*s  %s\n", g.Name, t.Paint(colour, g.Answer), answers-len(g.Answer), "", cut(g.Question, t.Width-11-2-answers-2))
	}
	return b.String()
}

// members names the capabilities of a set.
func members(f guard.Fact) string {
	set, err := caps.ParseMask(f.Value)
	switch {
	case f.State != "known" || err != nil:
		return "could not tell"
	case set == 0:
		return "none"
	case set.Contains(caps.UpTo(caps.Last)):
		return "all"
	}
	if missing := caps.UpTo(caps.Last) &^ set; missing.Len() < set.Len() {
		return "all but " + missing.String()
	}
	return set.String()
}

const (
	red   = "\x1b[31m"
	green = "\x1b[32m"
)

// cut is text in at most so many columns.
func cut(text string, columns int) string {
	if r := []rune(text); len(r) > columns {
		return string(r[:max(columns-1, 0)]) + "…"
	}
	return text
}
