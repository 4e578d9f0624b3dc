package main

import (
	"cmp"
	"flag"
	"fmt"
	"io"
	"strings"
)

// statuses are what the doctor exits with.
var statuses = []struct {
	code  int
	about string
}{
	{0, "all is well; with -audit, nothing at or above -fail was found"},
	{1, "with -audit, something at or above -fail was found"},
	{usageError,
		"the command line or an address is wrong, a file is no recording, or the program could not even be started, or would be ended at once"},
	{noInput, "a file cannot be read"},
	{unavailable, "the address cannot be had, or there is no such process"},
	{ioError, "the output cannot be written"},
	{77, "permission is refused; with -audit, not everything could be read"},
}

// help prints the modes, the flags and the exit statuses.
func (c *command) help(w io.Writer) error {
	var b strings.Builder
	b.WriteString("usage:\n")
	for _, m := range modes() {
		if m.about != "" {
			fmt.Fprintf(&b, "  doctor %-38s %s\n", m.call(), m.about)
		}
	}
	b.WriteString("\nAn ADDRESS is :443, HOST:443 or udp/:53.\n\nflags:\n")
	c.flags.VisitAll(func(f *flag.Flag) {
		value, about := flag.UnquoteUsage(f)
		fmt.Fprintf(&b, "  %-22s %s\n", strings.TrimSpace("-"+f.Name+" "+value), about)
	})
	b.WriteString("\nexit status:\n")
	for _, s := range statuses {
		fmt.Fprintf(&b, "  %-4d %s\n", s.code, s.about)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// call is how the mode is called.
func (m mode) call() string {
	if m.name == "" {
		return m.usage
	}
	return strings.TrimSpace("-" + m.name + " " + m.usage)
}

// manual prints the manual page, in the language of man(7).
func (c *command) manual() int {
	var b strings.Builder
	b.WriteString(".TH DOCTOR 1 \"\" lowport\n.SH NAME\n")
	b.WriteString("doctor \\- why a program may not bind a low port, and what would help\n.SH SYNOPSIS\n")
	for _, m := range modes() {
		if m.about != "" {
			fmt.Fprintf(&b, ".TP\n.B doctor %s\n%s\n", roff(m.call()), roff(m.about))
		}
	}
	b.WriteString(".SH DESCRIPTION\nAn address is :443, HOST:443 or udp/:53. Where all is well nothing is printed.\n")
	b.WriteString(".SH OPTIONS\n")
	c.flags.VisitAll(func(f *flag.Flag) {
		value, about := flag.UnquoteUsage(f)
		fmt.Fprintf(&b, ".TP\n.B %s\n%s\n", roff(strings.TrimSpace("-"+f.Name+" "+value)), roff(about))
	})
	b.WriteString(".SH EXIT STATUS\n")
	for _, s := range statuses {
		fmt.Fprintf(&b, ".TP\n.B %d\n%s\n", s.code, roff(s.about))
	}
	b.WriteString(".SH SEE ALSO\ncapabilities(7), systemd.exec(5), https://github.com/lowport/lowport\n")
	_, err := fmt.Print(b.String())
	return printed(err, 0)
}

// roff escapes text for man(7).
func roff(s string) string { return strings.NewReplacer(`\`, `\e`, "-", `\-`).Replace(s) }

// completed prints the completion of the flags for a shell.
func (c *command) completed() int {
	var words, fish []string
	c.flags.VisitAll(func(f *flag.Flag) {
		words = append(words, "-"+f.Name)
		value, about := flag.UnquoteUsage(f)
		line := fmt.Sprintf("complete -c doctor -o %s -d %s", f.Name, quoted(about))
		if value != "" {
			line += " -r"
		}
		fish = append(fish, line)
	})
	ids := strings.Join(ids(), " ")
	text, ok := map[string]string{
		"bash": `_doctor() {
	local word=${COMP_WORDS[COMP_CWORD]}
	case ${COMP_WORDS[COMP_CWORD-1]} in
	-explain) COMPREPLY=($(compgen -W "` + ids + `" -- "$word")) ;;
	-binary | -unit | -replay | -allow) COMPREPLY=($(compgen -f -- "$word")) ;;
	-user) COMPREPLY=($(compgen -u -- "$word")) ;;
	-fail) COMPREPLY=($(compgen -W "critical high medium" -- "$word")) ;;
	-guard) COMPREPLY=($(compgen -W "yes no" -- "$word")) ;;
	-completion) COMPREPLY=($(compgen -W "bash zsh fish" -- "$word")) ;;
	*) COMPREPLY=($(compgen -W "` + strings.Join(words, " ") + `" -- "$word")) ;;
	esac
}
complete -F _doctor doctor
`,
		"zsh": `#compdef doctor
case $words[CURRENT-1] in
-explain) compadd -- ` + ids + ` ;;
-binary|-unit|-replay|-allow) _files ;;
-user) _users ;;
-fail) compadd critical high medium ;;
-guard) compadd yes no ;;
-completion) compadd bash zsh fish ;;
*) compadd -- ` + strings.Join(words, " ") + ` ;;
esac
`,
		"fish": strings.Join(fish, "\n") + "\ncomplete -c doctor -o explain -xa " + quoted(ids) +
			"\ncomplete -c doctor -o fail -xa 'critical high medium'\ncomplete -c doctor -o guard -xa 'yes no'" +
			"\ncomplete -c doctor -o completion -xa 'bash zsh fish'\n",
	}[c.completion]
	if !ok {
		return failed(usageError, fmt.Errorf("no completion for %q: want bash, zsh or fish", cmp.Or(c.completion, " ")))
	}
	_, err := fmt.Print(text)
	return printed(err, 0)
}

// quoted puts text into single quotes, for fish.
func quoted(s string) string { return "'" + strings.NewReplacer(`\`, `\\`, "'", `\'`).Replace(s) + "'" }
