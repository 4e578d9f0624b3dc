package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/lowport/lowport/examples/manifest/declare"
	"github.com/lowport/lowport/examples/manifest/image"
	"github.com/lowport/lowport/guard/preflight"
	"github.com/lowport/lowport/guard/report"
	"github.com/lowport/lowport/internal/term"
)

// judge returns the report on a container, with the edits that help, and the exit status. The
// error says why nothing would be started.
func (c command) judge(s declare.Subject, all []declare.Subject) (report.Report, int, error) {
	i := c.imageOf(s, all)
	addresses := c.addresses
	if len(addresses) == 0 {
		addresses = s.Asks(i)
	}
	if s.Refused != nil {
		return report.Report{}, usageError, s.Refused
	}
	if len(addresses) == 0 || s.Once && len(c.addresses) > 0 {
		return report.Report{OK: true, Subject: term.Show(s.Name)}, 0, nil
	}
	r, err := ask(s, i, addresses)
	r.Notes = append(r.Notes, s.Notes...)
	var refused *report.Error
	switch {
	case err == nil:
		r.Subject = term.Show(s.Name) + ": " + r.Subject
		return r, 0, nil
	case !errors.As(err, &refused):
		return r, usageError, err
	}
	r.Subject, r.Headline = term.Show(s.Name)+": "+r.Subject, place(s)+": "+r.Headline
	fixes := kept(r.Fixes)
	r.Fixes = []report.Fix{}
	for _, edits := range c.edits(s, i, addresses) {
		r.Fixes = append(r.Fixes, fix(s, edits...))
	}
	r.Fixes = append(r.Fixes, fixes...)
	return r, refused.ExitCode(), nil
}

// ask asks for the addresses in a container.
func ask(s declare.Subject, i *image.Image, addresses []string) (report.Report, error) {
	container, err := s.Start(i)
	if err != nil {
		return report.Report{}, err
	}
	return preflight.Bind(preflight.Launch{Container: &container}, addresses...)
}

// imageOf returns the image that counts for a container.
func (c command) imageOf(s declare.Subject, all []declare.Subject) *image.Image {
	if c.image == nil {
		return nil
	}
	named := func(s declare.Subject) bool { return s.Ref != "" && slices.ContainsFunc(c.image.Names, same(s.Ref)) }
	if slices.ContainsFunc(all, named) && !named(s) {
		return nil
	}
	return c.image
}

// same compares a reference with one that may leave out what is the default.
func same(ref string) func(string) bool {
	full := func(s string) string {
		s = strings.TrimPrefix(strings.TrimPrefix(s, "docker.io/"), "library/")
		if !strings.Contains(s[strings.LastIndex(s, "/")+1:], ":") && !strings.Contains(s, "@") {
			s += ":latest"
		}
		return s
	}
	return func(name string) bool { return full(name) == full(ref) }
}

// kept are the fixes of the rules that no edit of the file stands for: those of the image.
func kept(fixes []report.Fix) []report.Fix {
	return slices.DeleteFunc(slices.Clone(fixes), func(f report.Fix) bool { return f.ID != "image" && f.Scope != "code" })
}

// edits returns the edits that help, each by itself or, if none does, two together.
func (c command) edits(s declare.Subject, i *image.Image, addresses []string) (all [][]declare.Edit) {
	for _, e := range s.Edits {
		if c.helps(s, i, addresses, e) {
			all = append(all, []declare.Edit{e})
		}
	}
	if len(all) > 0 {
		return all
	}
	for n, a := range s.Edits {
		for _, b := range s.Edits[n+1:] {
			if c.helps(s, i, addresses, a, b) {
				all = append(all, []declare.Edit{a, b})
			}
		}
	}
	return all
}

// helps makes the edits in memory and reports whether the container that the changed file declares
// gets the addresses, and keeps to the standard that it kept to.
func (c command) helps(s declare.Subject, i *image.Image, addresses []string, edits ...declare.Edit) bool {
	changed, err := c.edited(s, edits)
	if err != nil || changed.Refused != nil || changed.Standard < s.Standard {
		return false
	}
	_, err = ask(changed, i, addresses)
	return err == nil
}

// edited is the container as its file declares it once the edits are made.
func (c command) edited(s declare.Subject, edits []declare.Edit) (declare.Subject, error) {
	if s.Alone != nil {
		return c.editedAlone(s, edits)
	}
	content, err := c.content(s.File)
	for _, e := range edits {
		if err == nil {
			content, err = e.Change(content)
		}
	}
	if err != nil {
		return s, err
	}
	files, o := slices.Clone(c.files), c.options
	for i := range files {
		if files[i].Name == s.File {
			files[i].Content = content
		}
	}
	if o.ReadFile != nil {
		o.ReadFile = func(name string) ([]byte, error) {
			if name == s.File {
				return content, nil
			}
			return c.options.ReadFile(name)
		}
	}
	subjects, err := c.subjects(files, o)
	if err != nil {
		return s, err
	}
	return counterpart(s, subjects)
}

// editedAlone is the same where the container's own object is enough.
func (c command) editedAlone(s declare.Subject, edits []declare.Edit) (declare.Subject, error) {
	content, err := s.Alone, error(nil)
	for _, e := range edits {
		if err == nil {
			content, err = e.ChangeAlone(content)
		}
	}
	if err != nil {
		return s, err
	}
	subjects, err := declare.Read([]declare.File{{Name: s.File, Content: content}}, c.options)
	if err != nil {
		return s, err
	}
	return counterpart(s, subjects)
}

// counterpart finds the container among those of a changed file.
func counterpart(s declare.Subject, subjects []declare.Subject) (declare.Subject, error) {
	at := slices.IndexFunc(subjects, func(o declare.Subject) bool { return o.Name == s.Name && o.File == s.File })
	if at < 0 {
		return s, errors.New("the changed file does not declare it")
	}
	return subjects[at], nil
}

// content is that of a file that is given, or that one of these names.
func (c command) content(name string) ([]byte, error) {
	i := slices.IndexFunc(c.files, func(f declare.File) bool { return f.Name == name })
	switch {
	case i >= 0:
		return c.files[i].Content, nil
	case name == "" || c.options.ReadFile == nil:
		return nil, errors.New("no file declares it")
	}
	return c.options.ReadFile(name)
}

// fix is the report's form of edits.
func fix(s declare.Subject, edits ...declare.Edit) report.Fix {
	f := report.Fix{Scope: "container", Lasts: "as long as the file says so"}
	var ids, summaries []string
	for _, e := range edits {
		ids, summaries = append(ids, e.ID), append(summaries, e.Summary)
		f.Steps = append(f.Steps, report.Step{Edit: fmt.Sprintf("%s:%d, %s", term.Show(s.File), e.Line, term.Show(e.Place)), Content: e.Lines})
	}
	f.ID, f.Summary = strings.Join(ids, "+"), strings.Join(slices.Compact(summaries), "; then ")
	return f
}
