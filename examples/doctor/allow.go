package main

import (
	"bufio"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/lowport/lowport/guard/audit"
)

// A severity is how bad a finding is.
type severity string

// severities are those of reports, the worst first.
var severities = []severity{"critical", "high", "medium", "unknown", "note", "none"}

func (s severity) rank() int { return slices.Index(severities, s) }

func (s *severity) String() string { return string(*s) }

// Set is for -fail. What could not be told has a status of its own.
func (s *severity) Set(text string) error {
	if !slices.Contains([]string{"critical", "high", "medium"}, text) {
		return fmt.Errorf("want critical, high or medium")
	}
	*s = severity(text)
	return nil
}

// An allowed has the findings that are expected of a unit, or of a program by its path.
type allowed map[string][]string

// A fileError is a file that cannot be read, or that says nothing.
type fileError struct {
	error
	status int
}

// readAllowed reads the file of -allow. Each line has the name of a unit or the path of a
// program, and finding ids or "*"; what follows "#" is a remark.
func readAllowed(name string) (allowed, *fileError) {
	all := allowed{}
	if name == "" {
		return all, nil
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, &fileError{err, noInput}
	}
	defer f.Close()
	known := append(ids(), "*")
	lines := bufio.NewScanner(f)
	for n := 1; lines.Scan(); n++ {
		text, _, _ := strings.Cut(lines.Text(), "#")
		words := strings.Fields(text)
		if len(words) == 0 {
			continue
		}
		if len(words) == 1 {
			return nil, &fileError{fmt.Errorf("%s:%d: %s has no finding id behind it", name, n, words[0]), usageError}
		}
		for _, id := range words[1:] {
			if !slices.Contains(known, id) {
				return nil, &fileError{fmt.Errorf("%s:%d: %w", name, n, unknownID(id)), usageError}
			}
		}
		all[words[0]] = append(all[words[0]], words[1:]...)
	}
	if err := lines.Err(); err != nil {
		return nil, &fileError{fmt.Errorf("%s: %w", name, err), noInput}
	}
	return all, nil
}

// without takes out of a report what is expected of the process.
func (all allowed) without(r audit.Report) audit.Report {
	expected := all[holder(r)]
	if len(expected) == 0 {
		return r
	}
	worst := severity("none")
	r.Findings = slices.DeleteFunc(slices.Clone(r.Findings), func(f audit.Finding) bool {
		return slices.Contains(expected, "*") || slices.Contains(expected, f.ID)
	})
	var fixes []string
	for _, f := range r.Findings {
		if s := severity(f.Severity); s.rank() < worst.rank() {
			worst = s
		}
		fixes = append(fixes, f.Fixes...)
	}
	r.Severity = string(worst)
	fixed := r.Fixes
	r.Fixes = nil
	for _, f := range fixed {
		if slices.Contains(fixes, f.ID) {
			r.Fixes = append(r.Fixes, f)
		}
	}
	return r
}

// holder is by what a process is expected: its unit, which only root decides over, else the
// path of its program.
func holder(r audit.Report) string {
	if r.Unit != "" {
		return r.Unit
	}
	return r.Path
}

// baseline prints what was found, but for notes, in the form of -allow. A path with a space
// has no such form.
func baseline(all []audit.Report) string {
	found := map[string][]string{}
	var holders []string
	for _, r := range all {
		for _, f := range r.Findings {
			who := holder(r)
			if f.Severity == "note" || who == "" || strings.ContainsAny(who, " #") || slices.Contains(found[who], f.ID) {
				continue
			}
			if found[who] == nil {
				holders = append(holders, who)
			}
			found[who] = append(found[who], f.ID)
		}
	}
	slices.Sort(holders)
	var b strings.Builder
	for _, who := range holders {
		slices.Sort(found[who])
		fmt.Fprintf(&b, "%s %s\n", who, strings.Join(found[who], " "))
	}
	return b.String()
}
