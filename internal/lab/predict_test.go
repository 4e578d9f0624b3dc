//go:build linux

package lab

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// A scenario's start is done twice: first the doctor stands in the place of the
// program and predicts (doctor -binary PROGRAM, or -unit FILE), then the program
// itself is started. The two have to agree.

// substitutes put the doctor into the text of a start section. The first that
// applies is used.
var substitutes = []struct{ find, put string }{
	// As systemd starts it.
	{`/lab/start-unit (\S+) "\$@"`, `/lab/doctor -unit /etc/systemd/system/$1 "$$@"`},
	// In a container that has the program and not the lab.
	{`((?:lxc-execute|systemd-nspawn) .* )` + program + ` "\$@"`, `$1$2 -binary $2 "$$@"`},
	// As a user's own systemd starts it.
	{`sh -eu /run/start "\$@"`, `/lab/doctor -unit /home/operator/.config/systemd/user/server.service "$$@"`},
	// The only program in a container.
	{`args='"/(doctor|server)"'`, `args='"/doctor", "-binary", "/$1"'`},
	{` /doctor "\$@"`, ` /doctor -binary /doctor "$$@"`},
	// A command line for su.
	{`command="(\S+) \$\*"`, `command="/lab/doctor -binary $1 $$*"`},
	// Whatever stands before it is a wrapper.
	{program + `(?: -authbind)? "\$@"`, `/lab/doctor -binary $1 "$$@"`},
}

// program is a path as a shell has it.
const program = `((?:'[^']*'|"[^"]*"|[^\s'"]*/[^\s'"]*)+)`

// asUser is a start of which doctor -user says the same, run by root.
var asUser = regexp.MustCompile(`setpriv --reuid=(\w+) --regid=\w+ --init-groups ` + program + `(?: -authbind)? "\$@"`)

// preflights are the start section with the doctor in the program's place.
func preflights(start string) []string {
	var all []string
	for _, s := range substitutes {
		re := regexp.MustCompile(s.find)
		if put := re.ReplaceAllString(start, s.put); put != start {
			all = append(all, put)
			break
		}
	}
	if put := asUser.ReplaceAllString(start, `/lab/doctor -binary $2 -user $1 "$$@"`); put != start {
		all = append(all, put)
	}
	return all
}

// unpredict marks a scenario in which what happens cannot be seen before, and says
// why: none is asked for then.
func (sc *scenario) unpredict(args []string) error {
	if len(args) != 1 || args[0] == "" {
		return errors.New("usage: unpredicted REASON")
	}
	sc.unpredicted = args[0]
	return nil
}

// A prediction is what one preflight said.
type prediction struct {
	result
	reports []report
}

// predict asks for the outcome of the start that follows, in the same sandbox.
func (sc *scenario) predict() ([]prediction, error) {
	start, err := os.ReadFile(filepath.Join(sc.dir, "start"))
	if err != nil || sc.unpredicted != "" || !sc.predicts {
		return nil, err
	}
	var all []prediction
	for _, script := range preflights(string(start)) {
		if err := os.WriteFile(filepath.Join(sc.dir, "preflight"), []byte(script), 0o644); err != nil {
			return nil, err
		}
		p := prediction{result: sc.box.run(command{argv: append([]string{"sh", "-eu", "/scenario/preflight", "-json"}, sc.args...), dir: sc.cwd, env: sc.let})}
		if p.err == nil {
			p.reports, err = decodeReports(p.stdout)
			if err == nil && p.stderr != "" {
				err = errors.New("it printed on standard error")
			}
		}
		if err := errors.Join(p.err, err); err != nil {
			return nil, fmt.Errorf("preflight: %w\n%s\n%s", err, p, script)
		}
		all = append(all, p)
	}
	if len(all) == 0 {
		return nil, errors.New(`no preflight for this start: teach "substitutes", or say "unpredicted" and why`)
	}
	return all, nil
}

// decodeReports decodes one report or an array of them.
func decodeReports(text string) ([]report, error) {
	var raw []json.RawMessage
	if !strings.HasPrefix(text, "[") {
		raw = append(raw, json.RawMessage(text))
	} else if err := decodeOnly(text, &raw); err != nil {
		return nil, err
	}
	var all []report
	for _, one := range raw {
		r, err := decodeReport(string(one))
		if err == nil {
			err = r.check()
		}
		if err == nil && !strings.HasPrefix(r.Subject, "preflight ") {
			err = fmt.Errorf("the subject %q is not one of a prediction", r.Subject)
		}
		if err != nil {
			return nil, err
		}
		all = append(all, r)
	}
	return all, nil
}

// came compares what was predicted with what came: the exit status, and of each
// report whether it was refused and why.
func (sc *scenario) came(predicted []prediction, code int, actual ...report) error {
	if sc.unpredicted != "" {
		sc.tally.unpredicted.Add(1)
		return nil
	}
	for _, p := range predicted {
		sc.tally.predicted.Add(1)
		if err := p.differs(code, actual); err != nil {
			sc.tally.predictedWrong.Add(1)
			return fmt.Errorf("predicted: %w\n%s", err, p)
		}
	}
	return nil
}

func (p prediction) differs(code int, actual []report) error {
	if len(p.reports) != len(actual) {
		return fmt.Errorf("%d reports, and there were %d", len(p.reports), len(actual))
	}
	for i, r := range p.reports {
		if got, want := r.outcome(), actual[i].outcome(); got != want {
			return fmt.Errorf("%s, and it was %s", got, want)
		}
	}
	if p.code != code {
		return fmt.Errorf("exit status %d, and it was %d", p.code, code)
	}
	return nil
}

// outcome is how the bind went: by what way, or the first cause that refused it.
func (r report) outcome() string {
	if r.OK {
		return "ok " + r.Via
	}
	return r.Causes[0].ID
}
