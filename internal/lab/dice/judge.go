//go:build linux

package dice

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/lowport/lowport/internal/lab/box"
)

// Kinds are the kinds of wrong sentences, a to i.
const Kinds = "abcdefghi"

// A Wrong is a sentence that the kernel contradicts.
type Wrong struct {
	Kind  byte   // of Kinds
	Said  string // what the guard said
	Shown string // what the kernel did
}

func (w Wrong) String() string { return fmt.Sprintf("%c: said %s; %s", w.Kind, w.Said, w.Shown) }

// A Verdict is what the kernel makes of one situation.
type Verdict struct {
	Situation   Situation
	Unmade      string // why it could not be made, or its program not be started
	Outcome     Outcome
	NotExecuted bool // all but the program was started, as a prediction had to say
	Untold      bool // a prediction said that it could not tell
	Wrong       []Wrong
	Boxes       int // situations that were made for it
}

// A Judge makes situations, and remembers how those went that it was asked for before.
type Judge struct {
	maker box.Maker
	known *memory
	boxes int
}

// A memory has how situations went, for several judges.
type memory struct {
	sync.Mutex
	bound map[string]bool
}

// NewJudge returns a judge of boxes from m. It is for one goroutine.
func NewJudge(m box.Maker) *Judge { return newJudge(m, &memory{bound: make(map[string]bool)}) }

func newJudge(m box.Maker, known *memory) *Judge { return &Judge{maker: m, known: known} }

// Judge makes a situation and has the kernel judge what the guard says of it. An error is one
// of the lab's.
func (j *Judge) Judge(s Situation) (Verdict, error) {
	j.boxes = 0
	s, err := j.dropUntried(s)
	if err != nil {
		return Verdict{}, err
	}
	v := Verdict{Situation: s}
	var o Outcome
	err = j.in(s, func(p *place) error {
		if err := p.explain(); err != nil {
			return err
		}
		started, err := p.start()
		o = started
		if err != nil && !errors.Is(err, errUnmade) {
			return err
		}
		wrong, foretold, untold, errForetell := p.foretold()
		v.Wrong, v.Untold = wrong, untold
		if foretold && err != nil { // it is not executed, as was said before
			return errors.Join(errNotExecuted, errForetell)
		}
		return errors.Join(err, errForetell)
	})
	switch {
	case errors.Is(err, errNotExecuted):
		v.NotExecuted = true
		return v, nil
	case errors.Is(err, errUnmade):
		v.Unmade = err.Error()
		return v, nil
	case err != nil:
		return v, err
	}
	v.Outcome = o
	if !o.Bound {
		for _, check := range []func(Situation, Outcome) ([]Wrong, error){
			j.blamed, j.complete, j.fixes, j.useless, j.unfixed, agree, replayed,
		} {
			wrong, err := check(s, o)
			if err != nil {
				return v, fmt.Errorf("%s: %w", s, err)
			}
			v.Wrong = append(v.Wrong, wrong...)
		}
	}
	v.Boxes = j.boxes
	return v, nil
}

// dropUntried makes harmless what leaves no trace in the situation as it goes without it.
func (j *Judge) dropUntried(s Situation) (Situation, error) {
	for _, u := range untried {
		name, value, _ := strings.Cut(u.turn, "=")
		if !strings.HasPrefix(s[name], value) {
			continue
		}
		binds, err := j.binds(s.without(u.without...))
		if err != nil && !errors.Is(err, errUnmade) {
			return nil, err
		}
		if !binds {
			s = s.without(name)
		}
	}
	return s, nil
}

// fresh makes a situation and starts the program once.
func (j *Judge) fresh(s Situation) (o Outcome, err error) {
	err = j.in(s, func(p *place) error {
		o, err = p.start()
		return err
	})
	return o, err
}

// in makes a situation and does something there.
func (j *Judge) in(s Situation, f func(*place) error) error {
	j.boxes++
	p, err := open(j.maker, s)
	if err != nil {
		return err
	}
	return errors.Join(f(p), p.close())
}

// An answer is how other situations went.
type answer struct {
	bound, refused, unmade []string
}

func (a answer) String() string {
	var parts []string
	for _, part := range []struct {
		how  string
		that []string
	}{{"it binds with", a.bound}, {"it is refused with", a.refused}, {"it cannot be made with", a.unmade}} {
		if len(part.that) > 0 {
			parts = append(parts, part.how+" ["+strings.Join(part.that, "] and [")+"]")
		}
	}
	return strings.Join(parts, ", ")
}

// binds reports whether a situation binds.
func (j *Judge) binds(s Situation) (bool, error) {
	j.known.Lock()
	bound, ok := j.known.bound[s.String()]
	j.known.Unlock()
	if ok {
		return bound, nil
	}
	o, err := j.fresh(s)
	if err != nil {
		return false, err
	}
	j.known.Lock()
	j.known.bound[s.String()] = o.Bound
	j.known.Unlock()
	return o.Bound, nil
}

// ask makes other situations, until one goes as it is hoped for.
func (j *Judge) ask(bound bool, others ...Situation) (a answer, err error) {
	for _, s := range others {
		binds, err := j.binds(s)
		if errors.Is(err, errUnmade) {
			a.unmade = append(a.unmade, s.String())
			continue
		}
		if err != nil {
			return a, err
		}
		if binds {
			a.bound = append(a.bound, s.String())
		} else {
			a.refused = append(a.refused, s.String())
		}
		if binds == bound {
			return a, nil
		}
	}
	return a, nil
}

// executors are the knobs that put an execve between the starter and the program.
var executors = []string{"tracer", "launcher", "shell", "userns", "nnp", "folders", "wrapper", "landlock", "seccomp", "change"}

// likewise is a changed situation, and the same with an execve in the place of those that it
// has lost.
func (s Situation) likewise(changed Situation) []Situation {
	all := []Situation{changed}
	lost := slices.ContainsFunc(executors, func(k string) bool { return s[k] != "" && changed[k] == "" })
	if lost && changed["wrapper"] == "" {
		all = append(all, changed.with("wrapper", "sh-exec"))
		if s.is("folders", "shared") { // strace(1) forks, and a child shares no folders
			all = append(all, changed.with("wrapper", "sh-child"))
		}
	}
	return all
}

// blamed checks the first cause (a) and those that are proven (c).
func (j *Judge) blamed(s Situation, o Outcome) (wrong []Wrong, err error) {
	for i, c := range o.Report.Causes {
		proven := c.Certainty == "proven"
		if i > 0 && !proven {
			continue
		}
		stands, ok := causes[c.ID]
		if !ok {
			return nil, fmt.Errorf("no knobs are known for the cause %q: add it to causes", c.ID)
		}
		if c.ID == "unknown" {
			continue // it blames nothing; b counts it
		}
		a, err := j.ask(false, s.likewise(s.only(stands.blames(s)...))...)
		if err != nil {
			return nil, err
		}
		if len(a.bound) == 0 || len(a.refused) > 0 {
			continue
		}
		said := fmt.Sprintf("%s (%s)", c.ID, c.Certainty)
		if i == 0 {
			wrong = append(wrong, Wrong{'a', said, a.String()})
		}
		if proven {
			wrong = append(wrong, Wrong{'c', said, a.String()})
		}
	}
	return wrong, nil
}

// complete checks that with all causes taken away the bind succeeds (b).
func (j *Judge) complete(s Situation, o Outcome) ([]Wrong, error) {
	others := []Situation{s}
	for _, c := range o.Report.Causes {
		var next []Situation
		for _, way := range causes[c.ID].ways(s) {
			for _, other := range others {
				next = append(next, other.without(way...))
			}
		}
		if others = next; len(others) > 16 {
			others = others[:16]
		}
	}
	var all []Situation
	seen := make(map[string]bool)
	for _, other := range others {
		for _, like := range s.likewise(other) {
			if !seen[like.String()] {
				seen[like.String()] = true
				all = append(all, like)
			}
		}
	}
	a, err := j.ask(true, all...)
	if err != nil || len(a.bound) > 0 || len(a.refused) == 0 {
		return nil, err
	}
	return []Wrong{{'b', strings.Join(o.Report.causes(), " ") + " and nothing else", a.String()}}, nil
}
