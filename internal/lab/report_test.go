//go:build linux

package lab

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A report is what the program prints with -json. The lab has a type of its
// own, so that a change of the published shape is noticed here.
type report struct {
	Subject   string   `json:"subject"`
	OK        bool     `json:"ok"`
	Errno     string   `json:"errno"`
	Error     string   `json:"error"`
	Causes    []cause  `json:"causes"`
	Facts     []fact   `json:"facts"`
	Gates     []gate   `json:"gates"`
	Fixes     []fix    `json:"fixes"`
	Unhelpful []string `json:"unhelpful"`
	Notes     []string `json:"notes"`
	Via       string   `json:"via"`
}

type gate struct {
	Name     string `json:"name"`
	Question string `json:"question"`
	Answer   string `json:"answer"`
}

type cause struct {
	ID        string `json:"id"`
	Certainty string `json:"certainty"`
	Summary   string `json:"summary"`
	Detail    string `json:"detail"`
}

type fact struct {
	Name   string `json:"name"`
	Value  string `json:"value"`
	Source string `json:"source"`
	State  string `json:"state"`
}

type fix struct {
	ID      string `json:"id"`
	Scope   string `json:"scope"`
	Summary string `json:"summary"`
	Lasts   string `json:"lasts"`
	Depends string `json:"depends"`
	Costs   string `json:"costs"`
	Steps   []step `json:"steps"`
}

type step struct {
	Run     string `json:"run"`
	Write   string `json:"write"`
	Start   string `json:"start"`
	Edit    string `json:"edit"`
	Content string `json:"content"`
}

func (r report) causeIDs() []string {
	var ids []string
	for _, c := range r.Causes {
		ids = append(ids, c.ID)
	}
	return ids
}

func (r report) fixIDs() []string {
	var ids []string
	for _, f := range r.Fixes {
		ids = append(ids, f.ID)
	}
	return ids
}

// decodeReport decodes one report: every field of the shape is there and
// no other, and nothing follows it.
func decodeReport(text string) (report, error) {
	var r report
	if err := decodeOnly(text, &r); err != nil {
		return r, err
	}
	return r, checkShape(text)
}

func decodeOnly(text string, into any) error {
	d := json.NewDecoder(strings.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return fmt.Errorf("JSON report: %w", err)
	}
	if _, err := d.Token(); err != io.EOF {
		return errors.New("JSON report: something follows it")
	}
	return nil
}

// checkShape checks what decoding cannot see: fields that are missing.
func checkShape(text string) error {
	var top map[string]json.RawMessage
	if err := json.Unmarshal([]byte(text), &top); err != nil {
		return err
	}
	if err := has("report", top, "subject", "ok", "errno", "error", "causes", "facts", "gates", "fixes", "unhelpful", "notes", "via"); err != nil {
		return err
	}
	for _, list := range []struct {
		name   string
		fields []string
	}{
		{"causes", []string{"id", "certainty", "summary", "detail"}},
		{"facts", []string{"name", "value", "source", "state"}},
		{"gates", []string{"name", "question", "answer"}},
		{"fixes", []string{"id", "scope", "summary", "lasts", "steps"}},
	} {
		var items []map[string]json.RawMessage
		if err := json.Unmarshal(top[list.name], &items); err != nil || items == nil {
			return fmt.Errorf("JSON report: %s is not a list: %s", list.name, top[list.name])
		}
		for _, item := range items {
			if err := has(list.name, item, list.fields...); err != nil {
				return err
			}
		}
	}
	for _, name := range []string{"unhelpful", "notes"} {
		var items []string
		if err := json.Unmarshal(top[name], &items); err != nil || items == nil {
			return fmt.Errorf("JSON report: %s is not a list: %s", name, top[name])
		}
	}
	return nil
}

func has(where string, object map[string]json.RawMessage, fields ...string) error {
	for _, f := range fields {
		if _, ok := object[f]; !ok {
			return fmt.Errorf("JSON report: %s lacks %q", where, f)
		}
	}
	return nil
}

// The words a report may use for what.
var (
	certainties = words("proven likely possible")
	scopes      = words("file unit container pod netns host code process")
	states      = words("known absent unreadable")
	fixNames    = words("setcap setpriv systemd-drop-in systemd-socket socket-line sysctl cap-add ambient container compose image remount move restart build stop-owner nonlocal-bind loopback-ipv6 every-address one-address interface-up zone launcher supervisor profile")
	vias        = words("inherited plain raised authbind")
)

func words(list string) map[string]bool {
	set := make(map[string]bool)
	for word := range strings.FieldsSeq(list) {
		set[word] = true
	}
	return set
}

// check checks the words and the text of a report.
func (r report) check() error {
	var errs []error
	wrong := func(format string, args ...any) { errs = append(errs, fmt.Errorf("JSON report: "+format, args...)) }
	if r.Subject == "" {
		wrong("no subject")
	}
	if r.OK != (r.Error == "") || r.OK != (len(r.Causes) == 0) {
		wrong("ok %v, error %q and %d causes do not fit together", r.OK, r.Error, len(r.Causes))
	}
	if r.OK && len(r.Fixes) > 0 {
		wrong("ok, and yet %d fixes", len(r.Fixes))
	}
	if !r.OK && r.Via != "" {
		wrong("refused, and yet via %q", r.Via)
	}
	if r.Via != "" && !vias[r.Via] {
		wrong("via %q is not a word of the report", r.Via)
	}
	for _, c := range r.Causes {
		if !certainties[c.Certainty] || c.Summary == "" {
			wrong("cause %+v", c)
		}
	}
	for _, f := range r.Facts {
		if f.Name == "" || !states[f.State] {
			wrong("fact %+v", f)
		}
	}
	for _, f := range r.Fixes {
		if !knownFix(f.ID) || !scopes[f.Scope] || f.Summary == "" || f.Lasts == "" || len(f.Steps) == 0 {
			wrong("fix %+v", f)
		}
		for _, s := range f.Steps {
			if err := s.check(); err != nil {
				wrong("fix %s: %v", f.ID, err)
			}
		}
	}
	return errors.Join(errs...)
}

// knownFix reports whether an id is one of the report's, or several joined by
// plus signs: one fix for each of several obstacles.
func knownFix(id string) bool {
	for part := range strings.SplitSeq(id, "+") {
		if !fixNames[part] {
			return false
		}
	}
	return true
}

// check checks that a step is one thing.
func (s step) check() error {
	kinds := 0
	for _, k := range []string{s.Run, s.Write, s.Start, s.Edit} {
		if k != "" {
			kinds++
		}
	}
	if kinds != 1 {
		return fmt.Errorf("a step is one of run, write, start and edit: %+v", s)
	}
	if s.Content != "" && s.Write == "" && s.Edit == "" {
		return fmt.Errorf("only write and edit have content: %+v", s)
	}
	return nil
}

// readable checks that a text can go to any terminal: UTF-8, printable, no
// control characters but newlines.
func readable(text string) error {
	if !utf8.ValidString(text) {
		return fmt.Errorf("text report: not UTF-8: %q", text)
	}
	for i, r := range text {
		if r != '\n' && !unicode.IsPrint(r) {
			return fmt.Errorf("text report: %q at byte %d: %q", r, i, text)
		}
	}
	return nil
}
