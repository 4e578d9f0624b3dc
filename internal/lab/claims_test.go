//go:build linux

package lab

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/lowport/lowport/internal/term"
)

// refused makes the situation, starts the program, and checks how it ended and
// what it named as the cause.
func (sc *scenario) refused(args []string) (string, error) {
	if len(args) < 3 {
		return "", errors.New("usage: refused CODE CAUSE CERTAINTY [CAUSE...]")
	}
	code, err := statusCode(args[0])
	if err != nil {
		return "", err
	}
	if err := sc.remake(); err != nil {
		return "", err
	}
	sc.unfixed, sc.foretold = true, false
	predicted, err := sc.predict()
	if err != nil {
		return "", err
	}
	seen, err := sc.look(sc.box)
	if err != nil {
		return "", err
	}
	sc.json, sc.report, sc.code = seen.json, seen.report, code
	if err := seen.refusal(code, args[1], args[2], args[3:]); err != nil {
		sc.tally.causesWrong.Add(1)
		return "", fmt.Errorf("%w\n%s\n%s", err, seen.json, seen.text)
	}
	sc.tally.causesRight.Add(1)
	return seen.text, sc.came(predicted, seen.code, seen.report)
}

// predicted is refused of a program that never starts: the doctor predicts it, and
// then the start fails.
func (sc *scenario) predicted(args []string) (string, error) {
	if len(args) < 3 {
		return "", errors.New("usage: predicted CODE CAUSE CERTAINTY [CAUSE...]")
	}
	code, err := statusCode(args[0])
	if err != nil {
		return "", err
	}
	if err := sc.remake(); err != nil {
		return "", err
	}
	sc.unfixed = true
	if _, err := sc.predict(); err != nil { // all ways of it, of which the last stays
		return "", err
	}
	sc.foretold = true
	defer func() { sc.section = "start" }()
	sc.section = "preflight"
	seen, err := sc.look(sc.box)
	if err != nil {
		return "", err
	}
	sc.json, sc.report, sc.code = seen.json, seen.report, code
	sc.tally.predicted.Add(1)
	if err := seen.refusal(code, args[1], args[2], args[3:]); err != nil {
		sc.tally.predictedWrong.Add(1)
		return "", fmt.Errorf("%w\n%s\n%s", err, seen.json, seen.text)
	}
	sc.section = "start"
	if r := sc.start(sc.box, true); r.err != nil || r.code == 0 || r.stdout != "" {
		sc.tally.predictedWrong.Add(1)
		return "", fmt.Errorf("and yet it started: %s", r)
	}
	return seen.text, nil
}

// allowed makes the situation, starts the program, and sees it bind and say
// nothing, or a note that it then shows.
func (sc *scenario) allowed(args []string) (string, error) {
	if len(args) < 1 || len(args) > 2 || len(args) == 2 && args[1] != "note" {
		return "", errors.New("usage: allowed VIA [note]")
	}
	if err := sc.remake(); err != nil {
		return "", err
	}
	predicted, err := sc.predict()
	if err != nil {
		return "", err
	}
	ended, r, err := sc.startJSON(sc.box)
	if err != nil {
		return "", err
	}
	sc.json = ended.stdout
	switch {
	case ended.code != 0 || !r.OK:
		return "", fmt.Errorf("not allowed: %s", ended)
	case r.Via != args[0]:
		return "", fmt.Errorf("via %q, not %q", r.Via, args[0])
	}
	text := sc.start(sc.box, false)
	noted := text.stdout != "" && len(r.Notes) > 0
	if text.err != nil || text.code != 0 || text.stderr != "" || noted != (len(args) == 2) || !noted && text.stdout != "" {
		return "", fmt.Errorf("allowed, but not as silently as claimed: %s\n%s", text, ended.stdout)
	}
	return text.stdout, errors.Join(readable(text.stdout), sc.came(predicted, ended.code, r))
}

// A sight is what one sandbox shows: the program's report in both forms.
type sight struct {
	json   string
	code   int
	report report
	text   string
	blocks []block
}

// startJSON starts the program with -json and decodes what it prints.
func (sc *scenario) startJSON(box *sandbox) (result, report, error) {
	r := sc.start(box, true)
	if r.err != nil {
		return r, report{}, r.err
	}
	if err := onlyStatus(r.stderr); err != nil {
		return r, report{}, fmt.Errorf("%w\n%s", err, r)
	}
	decoded, err := decodeReport(r.stdout)
	if err == nil {
		err = decoded.check()
	}
	if err != nil {
		return r, decoded, fmt.Errorf("%w\n%s", err, r)
	}
	return r, decoded, nil
}

// look starts the program twice, once for each form of the report, and checks
// that the two say the same.
func (sc *scenario) look(box *sandbox) (sight, error) {
	ended, decoded, err := sc.startJSON(box)
	if err != nil {
		return sight{}, err
	}
	text := sc.start(box, false)
	s := sight{json: ended.stdout, code: ended.code, report: decoded}
	if s.text, err = onlyText(text); err != nil {
		return s, err
	}
	if text.code != ended.code {
		return s, fmt.Errorf("exit status %d with -json, %d without", ended.code, text.code)
	}
	if err := readable(s.text); err != nil {
		return s, err
	}
	if s.blocks, err = blocks(s.text); err != nil {
		return s, fmt.Errorf("%w\n%s", err, s.text)
	}
	if err := s.agree(); err != nil {
		return s, fmt.Errorf("%w\n%s\n%s", err, s.json, s.text)
	}
	return s, nil
}

// each checks a run for several addresses: one exit status, and an array of
// reports that are each allowed ("ok") or refused for the named cause.
func (sc *scenario) each(args []string) (string, error) {
	if len(args) < 3 {
		return "", errors.New("usage: each CODE (ok|CAUSE)...")
	}
	code, err := statusCode(args[0])
	if err != nil {
		return "", err
	}
	if err := sc.remake(); err != nil {
		return "", err
	}
	predicted, err := sc.predict()
	if err != nil {
		return "", err
	}
	r := sc.start(sc.box, true)
	if r.err != nil || r.code != code || r.stderr != "" {
		return "", fmt.Errorf("wanted exit status %d: %s", code, r)
	}
	var all []json.RawMessage
	if err := decodeOnly(r.stdout, &all); err != nil {
		return "", err
	}
	var got []string
	var reports []report
	for _, one := range all {
		decoded, err := decodeReport(string(one))
		reports = append(reports, decoded)
		if err == nil {
			err = decoded.check()
		}
		switch {
		case err != nil:
			return "", err
		case decoded.OK:
			got = append(got, "ok")
		default:
			got = append(got, decoded.Causes[0].ID)
		}
	}
	if !slices.Equal(got, args[1:]) {
		return "", fmt.Errorf("the reports are %q, not %q\n%s", got, args[1:], r)
	}
	if err := sc.came(predicted, r.code, reports...); err != nil {
		return "", err
	}
	text := sc.start(sc.box, false)
	if text.err != nil || text.code != code {
		return "", fmt.Errorf("exit status %d with -json, without: %s", code, text)
	}
	out, err := onlyText(text)
	if err == nil {
		err = readable(out)
	}
	return out, err
}

// onlyText is the text report, which is alone on one of the two streams.
func onlyText(r result) (string, error) {
	switch {
	case r.err != nil:
		return "", r.err
	case r.stdout == "":
		return r.stderr, nil
	default:
		return r.stdout, onlyStatus(r.stderr)
	}
}

// onlyStatus checks that nothing is on standard error, except what "go run" and
// "go test" add of their own.
func onlyStatus(stderr string) error {
	for line := range strings.Lines(stderr) {
		if !strings.HasPrefix(line, "exit status ") {
			return fmt.Errorf("on standard error: %q", stderr)
		}
	}
	return nil
}

// agree checks that the text report says what the JSON report says.
func (s sight) agree() error {
	if s.report.OK {
		if s.text != "" {
			return errors.New("all is well, and yet a text report")
		}
		return nil
	}
	headline, _, _ := strings.Cut(s.text, "\n")
	_, subject, _ := strings.Cut(strings.TrimPrefix(s.report.Subject, "preflight "), " ")
	if subject == "" || !strings.Contains(headline, subject) {
		return fmt.Errorf("the headline %q does not name %q", headline, s.report.Subject)
	}
	if len(s.blocks) != len(s.report.Fixes) {
		return fmt.Errorf("%d fixes in the text, %d in JSON", len(s.blocks), len(s.report.Fixes))
	}
	for i, f := range s.report.Fixes {
		block := "\n" + s.blocks[i].String()
		for _, step := range f.Steps {
			for _, command := range []string{step.Run, textArgs(step.Start)} {
				if command != "" && !strings.Contains(block, "\n"+command+"\n") {
					return fmt.Errorf("fix %s: the text lacks the line %q", f.ID, command)
				}
			}
			if step.Write != "" && !strings.Contains(block, term.Quote(step.Write)) {
				return fmt.Errorf("fix %s: the text does not name %q", f.ID, step.Write)
			}
			if step.Edit != "" && !strings.Contains(block, "\nin "+step.Edit+":\n"+indented(textArgs(step.Content))) {
				return fmt.Errorf("fix %s: the text lacks the edit of %s: %q", f.ID, step.Edit, step.Content)
			}
		}
	}
	return nil
}

// indented is a step's content as the text report shows it.
func indented(content string) string {
	var b strings.Builder
	for line := range strings.Lines(content) {
		b.WriteString("  " + strings.TrimSuffix(line, "\n") + "\n")
	}
	return b.String()
}

// textArgs is a start step of the JSON report as the text report has it: the
// program was started with other arguments.
func textArgs(start string) string { return strings.Replace(start, " -json ", " ", 1) }

// refusal checks how the program ended and what it named.
func (s sight) refusal(code int, cause, certainty string, further []string) error {
	if s.code != code {
		return fmt.Errorf("exit status %d, not %d", s.code, code)
	}
	if s.report.OK || len(s.report.Causes) == 0 {
		return errors.New("not refused")
	}
	first := s.report.Causes[0]
	if first.ID != cause || first.Certainty != certainty {
		return fmt.Errorf("the cause is %s (%s), not %s (%s)", first.ID, first.Certainty, cause, certainty)
	}
	got := s.report.causeIDs()[1:]
	if !slices.Equal(got, further) && len(got)+len(further) > 0 {
		return fmt.Errorf("the further causes are %q, not %q", got, further)
	}
	return nil
}
