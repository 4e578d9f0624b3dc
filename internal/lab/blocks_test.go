//go:build linux

package lab

import (
	"fmt"
	"strings"
)

// A block is one fix as the text report prints it.
type block struct {
	summary string
	lines   []string // without their indent: what an operator pastes
}

func (b block) String() string { return strings.Join(b.lines, "\n") + "\n" }

// last is the last line that is not empty.
func (b block) last() string {
	for i := len(b.lines) - 1; i >= 0; i-- {
		if b.lines[i] != "" {
			return b.lines[i]
		}
	}
	return ""
}

// blocks finds the fixes of a text report: a line that begins with "fix: "
// or "or: ", perhaps wrapped, ends in a colon, and then lines indented by two spaces.
func blocks(text string) ([]block, error) {
	var all []block
	lines := strings.Split(text, "\n")
	for i := 0; i < len(lines); i++ {
		head, summary, _ := strings.Cut(lines[i], ": ")
		if head != "fix" && head != "or" {
			continue
		}
		for !strings.HasSuffix(summary, ":") {
			i++
			if i == len(lines) || !strings.HasPrefix(lines[i], "    ") {
				return nil, fmt.Errorf("text report: the summary %q does not end in a colon", summary)
			}
			summary += " " + strings.TrimSpace(lines[i])
		}
		b := block{summary: strings.TrimSuffix(summary, ":")}
		for i+1 < len(lines) && strings.HasPrefix(lines[i+1], "  ") {
			i++
			b.lines = append(b.lines, strings.TrimPrefix(lines[i], "  "))
		}
		if len(b.lines) == 0 {
			return nil, fmt.Errorf("text report: nothing follows %q", lines[i])
		}
		all = append(all, b)
	}
	return all, nil
}
