package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/guard/preflight"
)

// A command is what the command line says.
type command struct {
	flags *flag.FlagSet
	mode  *mode
	args  []string // addresses

	json, verbose, authbind, record, audit, baseline, version, man bool

	need                        caps.Set
	replay, explain, completion string
	decode, allow               string
	fail                        severity
	pid                         int
	launch                      preflight.Launch
}

// A mode is one thing that the doctor does: the flag that asks for it, what goes with
// that, and for whom it is.
type mode struct {
	name  string // of its flag; "" for the addresses alone
	takes string // addresses: "" none, "one", or "any"
	with  string // other flags
	usage string // behind the flag's name
	about string
	run   func(*command) int
}

// modes are in the order of a first day with a server: why is it refused, how is it
// deployed, what may it do, what do these words mean.
func modes() []mode {
	return []mode{
		{"", "any", "authbind require v json", "ADDRESS…", "does this machine let me bind?", (*command).here},
		{
			"pid", "any", "guard v json", "N ADDRESS…",
			"would it let process N, in any language, bind?", (*command).ofProcess,
		},
		{
			"binary", "any", "user guard require v json unit", "PATH [-user USER] ADDRESS…",
			"will it let this program, before it is started?", (*command).planned,
		},
		{
			"unit", "any", "binary user guard require v json", "FILE ADDRESS…",
			"will it let this systemd service?", (*command).planned,
		},
		{"user", "any", "binary unit guard require v json", "", "", (*command).planned},
		{"record", "one", "", "ADDRESS", "print the evidence for a bug report", (*command).recorded},
		{"replay", "any", "require v json", "FILE ADDRESS…", "read such evidence anywhere", (*command).replayed},
		{
			"audit", "", "pid json allow fail baseline", "[-pid N] [-allow FILE]",
			"what could running processes do in an attacker's hands?", (*command).audited,
		},
		{"explain", "", "", "ID", "what does this cause or finding mean?", (*command).explained},
		{"decode", "", "json", "TEXT", "which capabilities are these, in every notation?", (*command).decoded},
		{"version", "", "", "", "which doctor is this?", (*command).versioned},
		{"man", "", "", "", "print the manual page, for man -l -", (*command).manual},
		{"completion", "", "", "bash|zsh|fish", "print the completion for a shell", (*command).completed},
	}
}

// define names the flags.
func (c *command) define() {
	f := flag.NewFlagSet("doctor", flag.ContinueOnError)
	f.SetOutput(io.Discard)
	f.Usage = func() {}
	f.BoolVar(&c.json, "json", false, "print JSON: one object, or an array for several addresses")
	f.BoolVar(&c.verbose, "v", false, "also show the five sets, and the gates of each decision")
	f.BoolVar(&c.authbind, "authbind", false, "let authbind's helper bind what would otherwise be refused")
	f.Func("require", "also require these `capabilities`, separated by commas", c.require)
	f.BoolVar(&c.record, "record", false, "print the evidence about one address, with nothing personal in it")
	f.StringVar(&c.replay, "replay", "", "ask the machine recorded in `file` instead of this one")
	f.Func("pid", "the running process with this `id`", c.process)
	f.StringVar(&c.launch.Binary, "binary", "", "predict for the program at `path`, before it is started from here")
	f.StringVar(&c.launch.User, "user", "", "predict for a start as this `user`")
	f.StringVar(&c.launch.Unit, "unit", "",
		"predict for the systemd service with this unit `file`; of a template, name an instance")
	f.Func("guard", "whether the program has the guard, `yes|no`, where its file does not tell", c.guard)
	f.BoolVar(&c.audit, "audit", false, "say what running processes could do in an attacker's hands")
	f.StringVar(&c.allow, "allow", "",
		"with -audit, expect the holders in this `file`: lines of UNIT or PROGRAM, and finding ids")
	f.BoolVar(&c.baseline, "baseline", false, "with -audit, print what is found in the form of -allow")
	f.Var(&c.fail, "fail", "with -audit, exit with 1 from this `severity` on: critical, high or medium")
	f.StringVar(&c.explain, "explain", "", "explain the cause or finding with this `id`; list shows all ids")
	f.StringVar(&c.decode, "decode", "",
		"decode capabilities in any `text`: a mask, names, cap_text, IAB, an attribute")
	f.BoolVar(&c.version, "version", false, "print the version")
	f.BoolVar(&c.man, "man", false, "print the manual page")
	f.StringVar(&c.completion, "completion", "", "print the completion for a `shell`: bash, zsh or fish")
	c.flags = f
}

// process reads the value of -pid.
func (c *command) process(v string) (err error) {
	if c.pid, err = strconv.Atoi(v); err != nil {
		return errors.New("want the number of a process")
	}
	return nil
}

func (c *command) require(list string) error {
	set, err := caps.ParseSet(list)
	if err == nil && set == 0 {
		err = errors.New("it names no capability")
	}
	c.need |= set
	return misspelt(err)
}

// misspelt says of a name that does not exist which may have been meant.
func misspelt(err error) error {
	var parse *caps.ParseError
	if !errors.As(err, &parse) || len(parse.Nearest) == 0 {
		return err
	}
	name, _, _ := strings.Cut(parse.Text[parse.Offset:], ",")
	meant := strings.TrimPrefix(parse.Nearest[0].String(), "cap_")
	return fmt.Errorf("no capability %q: did you mean %s?", strings.TrimSpace(name), meant)
}

func (c *command) guard(v string) error {
	switch c.launch.Guard = preflight.Guard(v); c.launch.Guard {
	case preflight.Guarded, preflight.Unguarded:
		return nil
	}
	return errors.New("want yes or no")
}

// parse reads the command line. Flags may stand behind addresses, up to "--".
func parse(args []string) (*command, error) {
	c := &command{fail: "medium"}
	c.define()
	for {
		if err := c.flags.Parse(args); err != nil {
			return c, wrongFlag(err)
		}
		rest := c.flags.Args()
		if n := len(args) - len(rest); len(rest) == 0 || n > 0 && args[n-1] == "--" {
			c.args = append(c.args, rest...)
			break
		}
		c.args, args = append(c.args, rest[0]), rest[1:]
	}
	return c, c.check()
}

// wrongFlag words the errors of package flag.
func wrongFlag(err error) error {
	if name, ok := strings.CutPrefix(err.Error(), "flag provided but not defined: "); ok {
		return fmt.Errorf("no flag %s: -h lists them", name)
	}
	return err
}

// given reports whether the command line has a flag. A -pid of 0 is one: systemctl says so
// of a service that does not run, and all that do run are no answer to that.
func (c *command) given(name string) (is bool) {
	c.flags.Visit(func(f *flag.Flag) { is = is || f.Name == name })
	return is
}

// check finds the mode, and what does not go with it.
func (c *command) check() error {
	all := modes()
	c.mode = &all[0]
	for i, m := range slices.Backward(all) { // the first wins: -binary before -user
		if m.name != "" && c.given(m.name) && (m.name != "pid" || !c.audit) {
			c.mode = &all[i]
		}
	}
	var err error
	c.flags.Visit(func(f *flag.Flag) {
		if err == nil && f.Value.String() == "" && !slices.Contains([]string{"pid", "require", "guard"}, f.Name) { // these look themselves
			err = fmt.Errorf("-%s has an empty value", f.Name)
		}
		if err == nil && f.Name != c.mode.name && !slices.Contains(strings.Fields(c.mode.with), f.Name) {
			err = c.stray(f.Name)
		}
	})
	switch {
	case err != nil:
		return err
	case slices.ContainsFunc(c.args, isEmpty):
		return errors.New(`an address is empty: say ":0" for any free port`)
	case c.given("user") && c.launch.Binary == "" && c.launch.Unit == "":
		return errors.New("-user needs -binary or -unit")
	case c.mode.takes == "" && len(c.args) > 0:
		return fmt.Errorf("-%s takes no address, and %q is one", c.mode.name, c.args[0])
	case c.mode.takes == "one" && len(c.args) != 1:
		return fmt.Errorf("-%s takes one address", c.mode.name)
	case c.mode.takes == "any" && len(c.args) == 0 && c.need == 0:
		return errors.New("no address: try doctor :443, or doctor -h")
	}
	return nil
}

// isEmpty reports whether an address is empty, perhaps behind its network, as one of a variable
// that is not set.
func isEmpty(address string) bool {
	_, rest, found := strings.Cut(address, "/")
	return address == "" || found && rest == ""
}

// stray says where a flag belongs.
func (c *command) stray(name string) error {
	if c.mode.name != "" {
		return fmt.Errorf("-%s and -%s exclude each other", c.mode.name, name)
	}
	var goes []string
	for _, m := range modes() {
		if slices.Contains(strings.Fields(m.with), name) {
			goes = append(goes, "-"+m.name)
		}
	}
	return fmt.Errorf("-%s needs %s", name, strings.Join(goes, " or "))
}
