package kernel

import (
	"fmt"
	"slices"
	"strings"
)

// Markdown returns docs/causes.md, a section for each cause, from the same data as the
// reports.
func Markdown() string {
	names := strings.NewReplacer("{cap}", "CAPABILITY", "{exe}", "PROGRAM", "{widening}", "CapabilityBoundingSet=; for a user other than root, docker's --cap-add or Kubernetes' capabilities.add: they change the bounding set only",
		"{unit}", "UNIT",
		"{port}", "PORT", "{start}", "N", "{addr}", "ADDRESS", "{owner}", "OWNER",
		"{tcp}", "tcp", "{ss}", "ss -ltunp", "{stream}", "stream", "{why}", "WHY")
	var b strings.Builder
	b.WriteString(`# Causes

Each report of lowport names its causes by these ids, in brackets at the end of its first
line; ` + "`doctor -explain ID`" + ` prints a section of this page. "proven" means that the
evidence excludes every other cause, "likely" that it fits and something could
not be read or leaves no trace, "possible" that nothing speaks against it.

![The gates of a bind, and the causes of a refusal at each](decision.svg)

In the commands, words in capitals stand for what is to be put there: PROGRAM for
the path of a program, PID for the id of its process.

This file is generated from the catalogue that the reports are made of, and the
picture from the gates.

`)
	b.WriteString(order())
	byID := slices.SortedFunc(slices.Values(catalogue), func(a, b cause) int { return strings.Compare(a.id, b.id) })
	for _, e := range byID {
		fmt.Fprintf(&b, "## %s\n\n", e.id)
		text := upper(e.detail) + "."
		if e.summary != "{why}" {
			text = upper(e.summary) + ". " + text
		}
		Paragraph(&b, names.Replace(text))
		if e.kernel != "" {
			Paragraph(&b, "What is checked: "+e.kernel+".")
		}
		b.WriteString("By hand:\n\n```\n" + e.see + "\n```\n\n")
		Paragraph(&b, "What helps: "+names.Replace(e.helps)+".")
		for _, u := range e.useless {
			Paragraph(&b, "What will not help: "+names.Replace(u.text)+".")
		}
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// order lists the gates in the kernel's order, with links to the causes at each.
func order() string {
	var b strings.Builder
	b.WriteString("The kernel asks in this order. It refuses at the first question whose answer is no, but for\nport, which decides only whether the next ones are asked:\n\n")
	for _, g := range Gates {
		name := g.Name
		if g.asked.name != "" {
			name += ", " + g.asked.name
		}
		fmt.Fprintf(&b, "- %s: %s", name, g.Question)
		for i, id := range g.Causes {
			fmt.Fprintf(&b, "%s[%s](#%s)", map[bool]string{true: "\n  ", false: ",\n  "}[i == 0], id, id)
		}
		b.WriteByte('\n')
	}
	return b.String() + "\n"
}

// upper makes the first letter upper case, unless that would misspell a name: net.ipv4.…,
// no_new_privs.
func upper(s string) string {
	first, _, _ := strings.Cut(s, " ")
	if s == "" || s[0] == '{' || strings.ContainsAny(first, "._") {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

// Paragraph writes prose in lines of at most 80 bytes.
func Paragraph(b *strings.Builder, text string) {
	column := 0
	for _, word := range strings.Fields(text) {
		switch {
		case column == 0:
		case column+1+len(word) > 80:
			b.WriteByte('\n')
			column = 0
		default:
			b.WriteByte(' ')
			column++
		}
		b.WriteString(word)
		column += len(word)
	}
	b.WriteString("\n\n")
}
