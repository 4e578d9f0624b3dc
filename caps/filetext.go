package caps

import (
	"errors"
	"fmt"
)

// ErrMixedEffective is in the error of [ParseFile] for a text that makes some
// of a file's capabilities effective and others not: a file has one effective
// bit for all of them.
var ErrMixedEffective = errors.New("the effective set must be empty or equal to permitted and inheritable together")

// ParseFile reads the capabilities of a file in the form of cap_text(3), as
// setcap reads it (see [ParseText]), and refuses what setcap refuses with
// [ErrMixedEffective]. Version is 2.
func ParseFile(text string) (File, error) {
	s, err := ParseText(text)
	if err != nil {
		return File{}, err
	}
	all := s.Permitted | s.Inheritable
	if s.Effective != 0 && !s.Effective.Contains(all) {
		return File{}, fmt.Errorf("file capabilities %.100q: %w", text, ErrMixedEffective)
	}
	// Effective bits outside permitted and inheritable are lost, as with setcap.
	return File{Permitted: s.Permitted, Inheritable: s.Inheritable, Effective: s.Effective != 0, Version: 2}, nil
}

// State returns the sets of f as libcap shows them: with the effective bit,
// what is permitted or inheritable is effective.
func (f File) State() State {
	s := State{Permitted: f.Permitted, Inheritable: f.Inheritable}
	if f.Effective {
		s.Effective = f.Permitted | f.Inheritable
	}
	return s
}

// AppendText appends f as getcap prints it, in the form of cap_text(3); the
// root id is not in it. The error is always nil.
func (f File) AppendText(b []byte) ([]byte, error) { return AppendText(b, f.State()), nil }

// String returns what [File.AppendText] appends.
func (f File) String() string { return FormatText(f.State()) }
