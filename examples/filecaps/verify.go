package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/lowport/lowport/caps"
)

// verify fails for a file that has not the capabilities that a build gave it, and
// says which step lost them, as far as the evidence shows it.
func (std stdio) verify(args []string) int {
	var from, was string
	for len(args) > 1 && (args[0] == "-from" || args[0] == "-was") {
		*map[string]*string{"-from": &from, "-was": &was}[args[0]] = args[1]
		args = args[2:]
	}
	if len(args) != 2 || from != "" && was != "" {
		return std.usage()
	}
	fail := func(err error) int {
		fmt.Fprintln(std.err, "verify:", err)
		return 1
	}
	want, err := caps.ParseFile(args[0])
	if err != nil {
		return fail(err)
	}
	path := args[1]
	err = caps.VerifyFile(path, want)
	var differs *caps.MismatchError
	switch {
	case err == nil:
		fmt.Fprintf(std.out, "%q: OK\n", path)
		return 0
	case errors.As(err, &differs) && !errors.Is(err, caps.ErrNoCaps):
		return fail(err) // it has some: nothing was lost
	case !errors.Is(err, caps.ErrNoCaps) && !errors.Is(err, errors.ErrUnsupported):
		return fail(err)
	}
	e, errRead := gather(path)
	if errRead != nil {
		return fail(errors.Join(err, errRead))
	}
	switch {
	case from != "":
		e.before, errRead = witnessOf(from)
		e.from = true
	case was != "":
		e.before, errRead = readNote(was)
	}
	if errRead != nil {
		return fail(errors.Join(err, errRead))
	}
	fmt.Fprintf(std.err, "%q has no capabilities, and should have %s\n", path, want)
	std.explainLoss(lost(e))
	return 1
}

// explainLoss prints which step lost the capabilities.
func (std stdio) explainLoss(l loss) {
	s := steps[l.step]
	if l.certainty == "" {
		fmt.Fprintln(std.err, "cannot tell which step lost them. The usual ones:")
		for _, id := range usual {
			fmt.Fprintf(std.err, "  %s: %s\n", id, steps[id].what)
		}
		for _, why := range l.evidence {
			fmt.Fprintln(std.err, "seen:", why)
		}
		fmt.Fprintln(std.err, `to be told next time: filecaps note FILE >NOTE right after setcap, and verify -was NOTE`)
		return
	}
	fmt.Fprintf(std.err, "lost by %s (%s): %s\n", l.step, l.certainty, s.what)
	for _, why := range l.evidence {
		fmt.Fprintln(std.err, "evidence:", why)
	}
	fmt.Fprintln(std.err, "instead:", s.instead)
}

// note prints what a file is like, for verify -was.
func (std stdio) note(args []string) int {
	if len(args) != 1 {
		return std.usage()
	}
	w, err := witnessOf(args[0])
	if err == nil && !w.Stamped {
		err = fmt.Errorf("%q has no capabilities: take the note right after setcap", args[0])
	}
	if err == nil {
		err = json.NewEncoder(std.out).Encode(w)
	}
	if err != nil {
		fmt.Fprintln(std.err, "note:", err)
		return 1
	}
	return 0
}

func readNote(path string) (*witness, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return parseNote(b)
}

// parseNote reads what note prints.
func parseNote(b []byte) (*witness, error) {
	var w witness
	d := json.NewDecoder(strings.NewReader(string(b)))
	d.DisallowUnknownFields()
	if err := d.Decode(&w); err != nil {
		return nil, fmt.Errorf("note: %w", err)
	}
	if len(w.SHA256) != 64 || w.Ino == 0 || !w.Stamped {
		return nil, errors.New("note: it does not describe a file with capabilities")
	}
	return &w, nil
}
