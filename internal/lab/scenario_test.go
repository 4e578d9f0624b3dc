//go:build linux

package lab

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// A scenario is one script file while it runs.
type scenario struct {
	house *house
	tally *tally
	t     skipper
	dir   string // the script's sections, as files

	// Settings.
	kind     kind
	needsGo  bool
	args     []string
	cwd      string
	operator string
	shell    []string // the operator's, which gets the fixes as input
	let      []string // NAME=VALUE, for prepare, start and edit

	section     string // that starts the program: "start", or "preflight" while that is looked at
	predicts    bool   // the program of the start section is a real one, of which the outcome is predicted
	unpredicted string // why the outcome cannot be predicted, "" where it can

	// What the last claim left behind.
	box      *sandbox
	json     string
	report   report
	code     int
	foretold bool // the report is of a prediction
	unfixed  bool // a refusal whose fixes no "fixed" line has spoken for
	claims   int
	over     bool // it was skipped, or has failed already
}

// playScenario plays a scenario. With real, its program is the doctor or another one
// that prints a report, and not a stand-in.
func playScenario(t player, file string, h *house, counts *tally, real bool) {
	dir, err := os.MkdirTemp("", "scenario")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	lines, err := open(file, dir)
	if err == nil {
		err = os.Chmod(dir, 0o755)
	}
	if err != nil {
		t.Fatal(file, err)
	}
	sc := &scenario{
		house: h, tally: counts, t: t, dir: dir, section: "start", predicts: real || hasDoctor(dir),
		kind: plain, args: []string{":443"}, cwd: "/", operator: "operator", shell: []string{"sh", "-e"},
	}
	counts.scenarios.Add(1)
	defer func() {
		if err := errors.Join(sc.finish(), sc.checkWhole()); err != nil {
			t.Fatal(err)
		}
	}()
	p := play{dir: dir, commands: sc.commands()}
	if err := p.perform(t, lines); err != nil {
		sc.over = true
		t.Fatal(file, err)
	}
}

// commands are what a line of a scenario may say, beside "stdout" and "cmp stdout".
func (sc *scenario) commands() map[string]func([]string) (string, error) {
	return map[string]func([]string) (string, error){
		"systemd":     sc.setting(sc.bootSystemd),
		"needs":       sc.setting(sc.need),
		"args":        sc.setting(func(args []string) error { sc.args = args; return nil }),
		"cwd":         sc.setting(func(args []string) error { return one(args, &sc.cwd) }),
		"operator":    sc.setting(func(args []string) error { return one(args, &sc.operator) }),
		"shell":       sc.setting(func(args []string) error { sc.shell = args; return nil }),
		"let":         sc.setting(sc.set),
		"unpredicted": sc.setting(sc.unpredict),
		"predicted":   sc.claim(sc.predicted),
		"refused":     sc.claim(sc.refused),
		"fixed":       sc.claim(sc.fixed),
		"allowed":     sc.claim(sc.allowed),
		"each":        sc.claim(sc.each),
		"inside":      sc.claim(sc.inside),
		"json":        sc.claim(sc.showJSON),
		"way":         sc.claim(sc.way),
		"machine":     sc.claim(sc.machine),
	}
}

// setting makes a command of a method that prints nothing.
func (sc *scenario) setting(set func([]string) error) func([]string) (string, error) {
	return func(args []string) (string, error) { return "", set(args) }
}

// claim makes a command of a method that claims something.
func (sc *scenario) claim(check func([]string) (string, error)) func([]string) (string, error) {
	return func(args []string) (string, error) {
		out, err := check(args)
		if err == nil {
			sc.claims++
		}
		return out, err
	}
}

// hasDoctor reports whether the program of a scenario is the doctor itself and not
// a stand-in for it.
func hasDoctor(dir string) bool {
	start, err := os.ReadFile(filepath.Join(dir, "start"))
	return err == nil && strings.Contains(string(start), "/srv/doctor")
}

func one(args []string, into *string) error {
	if len(args) != 1 {
		return errors.New("takes one word")
	}
	*into = args[0]
	return nil
}

func (sc *scenario) set(args []string) error {
	if len(args) != 2 {
		return errors.New("usage: let NAME VALUE")
	}
	sc.let = append(sc.let, args[0]+"="+args[1])
	return nil
}

// leave skips a scenario whose need is one for another machine.
func (sc *scenario) leave(name string) {
	if what := elsewhere(name); what != "" {
		sc.over = true
		sc.tally.leave(what)
		sc.t.Skip("for another machine: " + what)
	}
}

func (sc *scenario) bootSystemd([]string) error {
	sc.leave("systemd")
	const path = "/lib/systemd/systemd"
	if _, err := os.Stat(path); err != nil {
		sc.over = true
		lack(sc.t, path)
	}
	sc.kind = systemd
	return nil
}

func (sc *scenario) need(names []string) error {
	for _, name := range names {
		sc.leave(name)
		if name == "go" {
			sc.needsGo = true
		}
		if what := sc.house.lacks(name); what != "" {
			sc.over = true
			lack(sc.t, what)
		}
	}
	return nil
}

// finish ends the sandbox.
func (sc *scenario) finish() error {
	var err error
	if sc.box != nil {
		err = sc.box.close()
		sc.box = nil
	}
	return err
}

// checkWhole refuses a scenario that has come to its end and proven nothing.
// "needs" is the only way not to run.
func (sc *scenario) checkWhole() error {
	switch {
	case sc.over:
		return nil
	case sc.claims == 0:
		return errors.New("the scenario claims nothing")
	case sc.unfixed:
		return errors.New(`"refused" without "fixed": say which fixes are printed, or "fixed" alone for none`)
	}
	return nil
}

// make opens a sandbox and makes the situation in it.
func (sc *scenario) make() (_ *sandbox, err error) {
	box, err := sc.house.open(sc.kind, sc.dir, sc.needsGo)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, box.close())
		}
	}()
	for _, pattern := range []string{"*.service", "*.socket"} {
		units, err := filepath.Glob(filepath.Join(sc.dir, pattern))
		if err != nil {
			return nil, err
		}
		for _, unit := range units {
			content, err := os.ReadFile(unit)
			if err != nil {
				return nil, err
			}
			if err := box.write("/etc/systemd/system/"+filepath.Base(unit), string(content)); err != nil {
				return nil, err
			}
		}
	}
	if sc.kind == systemd {
		if r := box.run(command{argv: []string{"systemctl", "daemon-reload"}}); r.code != 0 {
			return nil, fmt.Errorf("daemon-reload: %s", r)
		}
	}
	if _, err := os.Stat(filepath.Join(sc.dir, "prepare")); err == nil {
		if r := box.run(command{argv: []string{"sh", "-eu", "/scenario/prepare"}, env: sc.let}); r.err != nil || r.code != 0 {
			return nil, fmt.Errorf("prepare: %s", r)
		}
		// A start is counted in ticks of 10 ms: a file that was changed right before it may
		// have been changed after it, as far as the program can tell.
		time.Sleep(30 * time.Millisecond)
	}
	return box, nil
}

// start starts the program in a sandbox as the scenario does.
func (sc *scenario) start(box *sandbox, json bool) result {
	argv := []string{"sh", "-eu", "/scenario/" + sc.section}
	if json {
		argv = append(argv, "-json")
	}
	return box.run(command{argv: append(argv, sc.args...), dir: sc.cwd, env: sc.let})
}

// remake makes the sandbox that the next claim is about.
func (sc *scenario) remake() error {
	if err := sc.finish(); err != nil {
		return err
	}
	box, err := sc.make()
	sc.box = box
	return err
}

// inside runs a section as root in the scenario's sandbox.
func (sc *scenario) inside(args []string) (string, error) {
	if len(args) == 0 {
		return "", errors.New("usage: inside SECTION [ARG...]")
	}
	if sc.box == nil {
		if err := sc.remake(); err != nil {
			return "", err
		}
	}
	argv := append([]string{"sh", "-eu", "/scenario/" + args[0]}, args[1:]...)
	r := sc.box.run(command{argv: argv, dir: sc.cwd, env: sc.let})
	if r.err != nil || r.code != 0 {
		return r.stdout, fmt.Errorf("inside %s: %s", args[0], r)
	}
	return r.stdout, nil
}

func (sc *scenario) showJSON([]string) (string, error) {
	if sc.json == "" {
		return "", errors.New("there is no report yet")
	}
	return sc.json, nil
}

// statusCode reads the exit status that a claim names.
func statusCode(word string) (int, error) {
	code, err := strconv.Atoi(word)
	if err != nil || code <= 0 || code > 125 {
		return 0, fmt.Errorf("%q is not the exit status of a refusal", word)
	}
	return code, nil
}
