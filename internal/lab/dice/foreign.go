//go:build linux

package dice

import (
	"errors"

	"github.com/lowport/lowport/internal/lab/box"
)

// Foreign is the content of the file box.Explain that has the program bind by package net, as
// one that knows nothing of capabilities does, and explain the refusal by guard.Explain.
const Foreign = "foreign\n"

// StartForeign makes a situation, starts in it the program as such a one, and calls then with how
// that went, before the situation ends. It does not if the situation cannot be made or the
// program is not executed.
func StartForeign(m box.Maker, s Situation, then func(Outcome)) (err error) {
	p, err := open(m, s)
	if errors.Is(err, errUnmade) {
		return nil
	} else if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.close()) }()
	if r, err := p.box.Run(box.Command{Argv: []string{"tee", box.Explain}, Stdin: Foreign}); err != nil || r.Code != 0 {
		return errors.Join(err, errors.New(r.Output))
	}
	o, err := p.start()
	if errors.Is(err, errUnmade) {
		return nil
	} else if err == nil {
		then(o)
	}
	return err
}

// Get returns the value of a knob.
func (s Situation) Get(knob string) string { return s.get(knob) }
