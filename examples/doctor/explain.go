package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/lowport/lowport/internal/audit"
	"github.com/lowport/lowport/internal/kernel"
)

// explained prints the section of docs/causes.md or docs/audit.md with an id.
func (c *command) explained() int {
	if c.explain == "list" {
		_, err := fmt.Println(strings.Join(ids(), "\n"))
		return printed(err, 0)
	}
	text, ok := sections()[c.explain]
	if !ok {
		return failed(usageError, unknownID(c.explain))
	}
	_, err := fmt.Print(text)
	return printed(err, 0)
}

// unknownID says which id may have been meant.
func unknownID(id string) error {
	best, most := "", 3
	for _, known := range ids() {
		n := 0
		for n < min(len(id), len(known)) && id[n] == known[n] {
			n++
		}
		if n > most {
			best, most = known, n
		}
	}
	if best != "" {
		return fmt.Errorf("no cause or finding %q: did you mean %s?", id, best)
	}
	return fmt.Errorf("no cause or finding %q: -explain list lists them", id)
}

// ids returns the ids of all causes and findings, sorted.
func ids() []string {
	var all []string
	for id := range sections() {
		all = append(all, id)
	}
	slices.Sort(all)
	return all
}

// sections returns the sections of both pages by their ids. If both pages have an id, its
// sections are joined.
func sections() map[string]string {
	all := map[string]string{}
	for _, page := range []string{kernel.Markdown(), audit.Markdown()} {
		for _, section := range strings.Split(page, "\n## ")[1:] {
			id, text, _ := strings.Cut(section, "\n")
			if strings.Contains(id, " ") {
				continue // no id, but a list at the end
			}
			text = id + "\n" + strings.TrimRight(text, "\n") + "\n"
			if old, both := all[id]; both {
				text = old + "\n" + text
			}
			all[id] = text
		}
	}
	return all
}
