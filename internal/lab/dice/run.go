//go:build linux

package dice

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/lowport/lowport/internal/lab/box"
)

// A Report is what the judge reads of the program's report.
type Report struct {
	Subject string `json:"subject"`
	OK      bool   `json:"ok"`
	Errno   string `json:"errno"`
	Causes  []struct {
		ID        string `json:"id"`
		Certainty string `json:"certainty"`
		Summary   string `json:"summary"`
		Detail    string `json:"detail"`
	} `json:"causes"`
	Gates []struct {
		Name   string `json:"name"`
		Answer string `json:"answer"`
	} `json:"gates"`
	Fixes     []fix    `json:"fixes"`
	Unhelpful []string `json:"unhelpful"`
	Via       string   `json:"via"`
}

// ids are those of the causes.
func (r Report) ids() (all []string) {
	for _, c := range r.Causes {
		all = append(all, c.ID)
	}
	return all
}

type fix struct {
	ID    string `json:"id"`
	Scope string `json:"scope"`
	Steps []step `json:"steps"`

	Depends string `json:"depends"`
}

type step struct {
	Run   string `json:"run"`
	Write string `json:"write"`
	Start string `json:"start"`
	Edit  string `json:"edit"`

	Content string `json:"content"`
}

// byHand reports whether the operator has to change a file of their own.
func (s step) byHand() bool { return s.Edit != "" }

func (r Report) causes() (ids []string) {
	for _, c := range r.Causes {
		ids = append(ids, c.ID)
	}
	return ids
}

func (r Report) fixes() (ids []string) {
	for _, f := range r.Fixes {
		ids = append(ids, f.ID)
	}
	return ids
}

// An Outcome is how a start of the program went.
type Outcome struct {
	Bound  bool
	Said   Said
	Report Report
	Code   int
}

// errUnmade is in the error where a situation cannot be made, or its program not started.
var errUnmade = errors.New("not made")

// A place is a box with a situation in it.
type place struct {
	box  *box.Box
	plan Plan
}

// open makes a situation in a fresh box.
func open(m box.Maker, s Situation) (_ *place, err error) {
	plan := s.plan()
	make := m.Open
	if plan.Boots {
		make = m.Boot
	}
	b, err := make()
	if err != nil {
		return nil, err
	}
	p := &place{b, plan}
	defer func() {
		if err != nil {
			err = errors.Join(err, b.Close())
		}
	}()
	if p.plan.Place != "" {
		r, err := b.Run(box.Command{Argv: []string{"sh", "-euc", p.plan.Place}})
		if err == nil && r.Code != 0 {
			err = fmt.Errorf("%w: place: %s", errUnmade, r.Output)
		}
		if err != nil {
			return nil, err
		}
	}
	if r, err := p.root("sh", "-euc", p.plan.Prepare); err != nil {
		return nil, err
	} else if r.Code != 0 {
		return nil, fmt.Errorf("%w: prepare: %s", errUnmade, r.Output)
	}
	return p, nil
}

func (p *place) close() error { return p.box.Close() }

// root runs a command as root in the place.
func (p *place) root(argv ...string) (box.Result, error) {
	return p.box.Run(box.Command{Argv: append(p.plan.enter(), argv...), Limit: patience})
}

// patience bounds a command: it ends what hangs.
const patience = 20 * time.Second

// explain has the programs explain a refusal from now on.
func (p *place) explain() error {
	r, err := p.box.Run(box.Command{Argv: []string{"touch", box.Explain}})
	if err == nil && r.Code != 0 {
		err = errors.New(r.Output)
	}
	return err
}

// start starts the program as the situation says.
func (p *place) start() (Outcome, error) { return p.shell(p.plan.Start) }

// shell runs a script that starts a program, from root's shell there: one that asks for
// commands, as an operator's does.
func (p *place) shell(script string) (Outcome, error) {
	line := "sh -euc " + commandLine([]string{script}) + " </dev/null\nexit $?\n"
	r, err := p.box.Run(box.Command{Argv: append(p.plan.enter(), "sh"), Stdin: line, Limit: patience})
	if err != nil {
		return Outcome{}, err
	}
	return outcome(r)
}

// outcome reads what the program has said.
func outcome(r box.Result) (Outcome, error) {
	o := Outcome{Code: r.Code}
	if len(r.Said) != 1 {
		return o, fmt.Errorf("%w: status %d, %d reports: %s", errUnmade, r.Code, len(r.Said), r.Output)
	}
	text := r.Said[slices.Collect(maps.Keys(r.Said))[0]]
	if text == "" { // systemd made the file
		return o, fmt.Errorf("%w: status %d, 0 reports: %s", errUnmade, r.Code, r.Output)
	}
	if err := json.Unmarshal([]byte(text), &o.Said); err != nil {
		return o, fmt.Errorf("%w: %q", err, text)
	}
	if o.Said.Failed != "" {
		return o, fmt.Errorf("%w: %s", errUnmade, o.Said.Failed)
	}
	if err := json.Unmarshal(o.Said.Report, &o.Report); err != nil {
		return o, err
	}
	o.Bound = o.Report.OK
	return o, nil
}

// paste pastes lines into the operator's shell there. One that fails ends it.
func (p *place) paste(lines string) (box.Result, error) {
	return p.box.Run(box.Command{Argv: append(p.plan.enter(), p.plan.shell()...), Stdin: lines, Limit: patience})
}

// alive reports whether the process whose id a file in /run holds has not ended.
func (p *place) alive(file string) (bool, error) {
	r, err := p.root("sh", "-c", "kill -0 $(cat /run/"+file+")")
	return r.Code == 0, err
}

// blocks are the fixes of a text report: the lines that an operator pastes, of each.
func blocks(text string) []string {
	var all []string
	lines := strings.Split(text, "\n")
	for i := 0; i < len(lines); i++ {
		if !strings.HasPrefix(lines[i], "fix: ") && !strings.HasPrefix(lines[i], "or: ") {
			continue
		}
		for !strings.HasSuffix(lines[i], ":") && i+1 < len(lines) {
			i++
		}
		block := ""
		for i+1 < len(lines) && strings.HasPrefix(lines[i+1], "  ") {
			i++
			block += strings.TrimPrefix(lines[i], "  ") + "\n"
		}
		all = append(all, block)
	}
	return all
}
