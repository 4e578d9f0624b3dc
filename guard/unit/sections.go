package unit

import (
	"strconv"
	"strings"
)

// A line is one directive, or a comment or an empty line where it has no key.
type line struct{ key, value string }

// A section is its name and its lines.
type section struct {
	name  string
	lines []line
}

// Written is the first line of every file: by it a program that overwrites files
// can tell that they were written from a [Service] before.
const Written = "# Written by lowport guard/unit.\n"

func render(sections ...section) string {
	var b strings.Builder
	b.WriteString(Written)
	for _, s := range sections {
		if len(s.lines) == 0 {
			continue
		}
		b.WriteString("\n[" + s.name + "]\n")
		for _, l := range s.lines {
			if l.key == "" {
				b.WriteString(l.value + "\n")
				continue
			}
			b.WriteString(l.key + "=" + l.value + "\n")
		}
	}
	return b.String()
}

// comment starts a group of lines.
func comment(text string) []line { return []line{{"", ""}, {"", "# " + text}} }

// maybe is a line unless the value is empty.
func maybe(key, value string) []line {
	if value == "" {
		return nil
	}
	return []line{{key, value}}
}

func (s Service) unitSection() section {
	after, wants, requires := s.After, s.Wants, s.Requires
	if s.Socket {
		requires = append([]string{s.Name + ".socket"}, requires...)
		after = append([]string{s.Name + ".socket"}, after...)
	}
	if s.Outbound {
		wants = append([]string{"network-online.target"}, wants...)
		after = append([]string{"network-online.target", "nss-lookup.target"}, after...)
	} else {
		after = append([]string{"network.target"}, after...)
	}
	lines := []line{{"Description", text(s.Description)}}
	lines = append(lines, maybe("Requires", strings.Join(requires, " "))...)
	lines = append(lines, maybe("Wants", strings.Join(wants, " "))...)
	lines = append(lines, maybe("After", strings.Join(after, " "))...)
	return section{"Unit", lines}
}

func (s Service) serviceSection() section {
	lines := []line{{"Type", s.Type}, {"ExecStart", command(s.Exec)}}
	lines = append(lines, maybe("WorkingDirectory", text(s.WorkDir))...)
	for _, e := range s.Env {
		lines = append(lines, line{"Environment", quote(e)})
	}
	lines = append(lines, maybe("EnvironmentFile", text(s.EnvFile))...)
	lines = append(lines, line{"Restart", s.Restart}, line{"RestartSec", strconv.Itoa(s.RestartSec)})
	lines = append(lines, s.guardLines()...)
	lines = append(lines, s.userLines()...)
	lines = append(lines, s.writeLines()...)
	lines = append(lines, s.hardening(false)...)
	return section{"Service", lines}
}

// guardLines keep systemd from starting again what cannot succeed.
func (s Service) guardLines() []line {
	return []line{
		{"", "# The guard's exit codes for what a restart does not change: permission, usage."},
		{"RestartPreventExitStatus", "77 64"},
	}
}

func (s Service) userLines() []line {
	lines := comment("Not root.")
	if s.User == "" {
		lines = append(lines, line{"DynamicUser", "yes"})
	} else {
		lines = append(lines, line{"User", s.User})
	}
	return append(lines, maybe("Group", s.Group)...)
}

func (s Service) installSection() section {
	lines := []line{{"WantedBy", s.WantedBy}}
	if s.Socket {
		lines = append(lines, line{"Also", s.Name + ".socket"})
	}
	return section{"Install", lines}
}
