//go:build linux

package lab

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
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

type scenarioKey struct{}

func of(ts *testscript.TestScript) *scenario {
	return ts.Value(scenarioKey{}).(*scenario)
}

// params are how testscript is to run the scenarios in a folder.
func params(dir string, h *house, t *tally) testscript.Params {
	return testscript.Params{
		Dir:                dir,
		RequireUniqueNames: true,
		Setup: func(env *testscript.Env) error {
			sc := &scenario{
				house: h, tally: t, t: env.T(), dir: env.WorkDir,
				section: "start", predicts: dir != "" || hasDoctor(env.WorkDir), kind: plain, args: []string{":443"}, cwd: "/", operator: "operator", shell: []string{"sh", "-e"},
			}
			env.Values[scenarioKey{}] = sc
			t.scenarios.Add(1)
			env.Defer(func() {
				if err := errors.Join(sc.finish(), sc.checkWhole()); err != nil {
					env.T().Fatal(err)
				}
			})
			return os.Chmod(env.WorkDir, 0o755)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"systemd":     settings((*scenario).bootSystemd),
			"needs":       settings((*scenario).need),
			"args":        settings(func(sc *scenario, args []string) error { sc.args = args; return nil }),
			"cwd":         settings(func(sc *scenario, args []string) error { return one(args, &sc.cwd) }),
			"operator":    settings(func(sc *scenario, args []string) error { return one(args, &sc.operator) }),
			"shell":       settings(func(sc *scenario, args []string) error { sc.shell = args; return nil }),
			"let":         settings((*scenario).set),
			"predicted":   claim((*scenario).predicted),
			"unpredicted": settings((*scenario).unpredict),
			"refused":     claim((*scenario).refused),
			"fixed":       claim((*scenario).fixed),
			"allowed":     claim((*scenario).allowed),
			"each":        claim((*scenario).each),
			"inside":      claim((*scenario).inside),
			"json":        claim((*scenario).showJSON),
			"way":         claim((*scenario).way),
			"machine":     claim((*scenario).machine),
		},
	}
}

// hasDoctor says whether the program of a scenario is the doctor itself and not
// a stand-in for it.
func hasDoctor(dir string) bool {
	start, err := os.ReadFile(filepath.Join(dir, "start"))
	return err == nil && strings.Contains(string(start), "/srv/doctor")
}

func settings(set func(*scenario, []string) error) func(*testscript.TestScript, bool, []string) {
	return func(ts *testscript.TestScript, neg bool, args []string) {
		if neg {
			ts.Fatalf("a setting cannot be negated")
		}
		ts.Check(set(of(ts), args))
	}
}

// claim makes a command of a method that prints what later lines may look at.
func claim(check func(*scenario, []string) (string, error)) func(*testscript.TestScript, bool, []string) {
	return func(ts *testscript.TestScript, neg bool, args []string) {
		if neg {
			ts.Fatalf("a claim cannot be negated")
		}
		out, err := check(of(ts), args)
		fmt.Fprint(ts.Stdout(), out)
		of(ts).over = err != nil
		ts.Check(err)
		of(ts).claims++
	}
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
// That makes testscript's own skip and stop failures: "needs" is the only way
// not to run.
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
