//go:build linux

package lab

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"
)

// fixed checks which fixes were printed, and that each of them works.
func (sc *scenario) fixed(want []string) (string, error) {
	if !sc.unfixed {
		return "", errors.New(`"fixed" comes after "refused"`)
	}
	sc.unfixed = false
	got := sc.report.fixIDs()
	if !slices.Equal(got, want) && len(got)+len(want) > 0 {
		return "", fmt.Errorf("the fixes are %q, not %q\n%s", got, want, sc.json)
	}
	var errs []error
	for i := range want {
		sc.tally.fixesRun.Add(1)
		if err := sc.try(i); err != nil {
			errs = append(errs, fmt.Errorf("fix %s: %w", want[i], err))
			continue
		}
		sc.tally.fixesWorked.Add(1)
	}
	return "", errors.Join(errs...)
}

// try makes the situation anew, runs fix number i of its report, and sees the
// program bind.
func (sc *scenario) try(i int) (err error) {
	box, err := sc.make()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, box.close()) }()
	if sc.foretold {
		sc.section = "preflight"
	}
	seen, err := sc.look(box)
	sc.section = "start"
	if err != nil {
		return err
	}
	first := sc.report.Causes[0]
	if err := seen.refusal(sc.code, first.ID, first.Certainty, sc.report.causeIDs()[1:]); err != nil {
		return fmt.Errorf("before the fix: %w", err)
	}
	if !slices.Equal(seen.report.fixIDs(), sc.report.fixIDs()) {
		return fmt.Errorf("the fixes are %q, and were %q", seen.report.fixIDs(), sc.report.fixIDs())
	}
	f, b := seen.report.Fixes[i], seen.blocks[i]
	if slices.ContainsFunc(f.Steps, func(s step) bool { return s.Edit != "" }) {
		err = sc.bySteps(box, f)
	} else {
		err = sc.byText(box, f, b)
	}
	if err != nil {
		return err
	}
	if err := unharmed(box); err != nil {
		return err
	}
	return sc.binds(box, f)
}

// byText pastes the fix as the text report prints it into a shell.
func (sc *scenario) byText(box *sandbox, f fix, b block) error {
	if start := f.start(); start != "" && b.last() != lastLine(textArgs(start)) {
		return fmt.Errorf("the block does not end in its start step %q:\n%s", start, b)
	}
	if r := sc.paste(box, b.String()); r.err != nil || r.code != 0 {
		return fmt.Errorf("%s%s", b, r)
	}
	for _, s := range f.Steps {
		if s.Write == "" {
			continue
		}
		r := box.run(command{argv: []string{"cat", "--", s.Write}})
		if r.err != nil || r.stdout != s.Content {
			return fmt.Errorf("%s: the text wrote %q, JSON says %q: %s", s.Write, r.stdout, s.Content, r)
		}
	}
	return nil
}

// bySteps does what the fix's steps say; the scenario's "edit" section is the
// operator's hand.
func (sc *scenario) bySteps(box *sandbox, f fix) error {
	for _, s := range f.Steps {
		var r result
		switch {
		case s.Edit != "":
			if _, err := os.Stat(sc.dir + "/edit"); err != nil {
				return errors.New(`it has an edit step, and the scenario no "edit" section`)
			}
			r = box.run(command{argv: []string{"sh", "-eu", "/scenario/edit", s.Edit}, dir: sc.cwd, env: sc.let, stdin: s.Content})
		case s.Write != "":
			if err := box.write(s.Write, s.Content); err != nil {
				return err
			}
		default:
			r = sc.paste(box, s.Run+s.Start+"\n")
		}
		if r.err != nil || r.code != 0 {
			return fmt.Errorf("step %+v: %s", s, r)
		}
	}
	return nil
}

// paste feeds text to a shell of the operator. A line that fails ends it: an
// operator would not go on.
func (sc *scenario) paste(box *sandbox, text string) result {
	return box.run(command{argv: sc.shell, user: sc.operator, dir: sc.cwd, stdin: text})
}

// binds sees the program bind after the fix. A start step has shown it by its
// exit status: it was the fix's last command.
func (sc *scenario) binds(box *sandbox, f fix) error {
	if f.start() != "" {
		return nil
	}
	json, after, err := sc.startJSON(box)
	// An owner that was told to stop may take a moment to let go of its port.
	for end := time.Now().Add(patience); f.ID == "stop-owner" && err == nil && json.code == 69 && time.Now().Before(end); {
		time.Sleep(50 * time.Millisecond)
		json, after, err = sc.startJSON(box)
	}
	switch {
	case err != nil:
		return fmt.Errorf("after the fix: %w", err)
	case json.code != 0 || !after.OK:
		return fmt.Errorf("after the fix, still refused: %s", json)
	}
	if sc.foretold {
		sc.section = "preflight"
		defer func() { sc.section = "start" }()
		if json, after, err = sc.startJSON(box); err != nil || !after.OK {
			return fmt.Errorf("after the fix, predicted as refused: %s", json)
		}
	}
	return nil
}

// unharmed checks that no hostile name was taken for a command: those of the
// scenarios would make this file.
func unharmed(box *sandbox) error {
	if r := box.run(command{argv: []string{"test", "-e", "/tmp/pwned"}}); r.err != nil || r.code != 1 {
		return fmt.Errorf("/tmp/pwned exists: a name became a command: %s", r)
	}
	return nil
}

// start is the fix's start step, if it has one.
func (f fix) start() string {
	for _, s := range f.Steps {
		if s.Start != "" {
			return s.Start
		}
	}
	return ""
}

func lastLine(text string) string {
	text = strings.TrimRight(text, "\n")
	return text[strings.LastIndex(text, "\n")+1:]
}
