package units

import (
	"fmt"
	"strings"
)

// An End is how a start ended, predicted or real.
type End struct {
	Kind  Kind   `json:"kind"`
	Cause string `json:"cause,omitempty"` // why a bind was refused, as the guard names it, or as "errno EACCES"
	Why   string `json:"why,omitempty"`   // of what did not start, or could not be told
}

// A Kind is one of the ends that a start can have.
type Kind string

const (
	ByItself    Kind = "bound"       // the program bound the address
	BySocket    Kind = "inherited"   // it was given the socket
	Refused     Kind = "refused"     // it ran, and its bind was refused
	NotStarted  Kind = "not started" // it never ran
	CouldNotSay Kind = "could not tell"
)

func (e End) String() string {
	return strings.TrimSpace(fmt.Sprintf("%s %s %s", e.Kind, e.Cause, e.Why))
}

// killed is the cause of what was ended by a signal.
const killed = "killed"

// Binds reports whether the address is bound then.
func (e End) Binds() bool { return e.Kind == ByItself || e.Kind == BySocket }

// A Verdict compares the two.
type Verdict struct {
	Draw      Draw   `json:"draw"`
	Predicted End    `json:"predicted"`
	Came      End    `json:"came"`
	Wrong     string `json:"wrong,omitempty"` // "false pass", "false refusal", "other story"

	Fixes   int      `json:"fixes,omitempty"`   // that were printed and applied
	Unfixed []string `json:"unfixed,omitempty"` // those after which it does not bind, and why
}

// Judge says what was wrong of the prediction.
func Judge(d Draw, predicted, came End) Verdict {
	v := Verdict{Draw: d, Predicted: predicted, Came: came}
	switch {
	case predicted.Kind == CouldNotSay:
	case predicted.Kind == NotStarted && came.Cause == killed: // by a filter, perhaps before its execve: systemd does not say
	case predicted.Binds() && !came.Binds():
		v.Wrong = "false pass"
	case !predicted.Binds() && came.Binds():
		v.Wrong = "false refusal"
	case predicted.Kind != came.Kind, came.Kind == Refused && predicted.Cause != came.Cause:
		v.Wrong = "other story"
	}
	return v
}

func (v Verdict) String() string {
	text := fmt.Sprintf("%d: %s\n%spredicted: %s\ncame:      %s\n", v.Draw.Number, v.Wrong, v.Draw.Text(), v.Predicted, v.Came)
	for _, fix := range v.Unfixed {
		text += "does not help: " + fix
	}
	return text
}

// Sums count verdicts.
type Sums struct {
	All, Bound, Refused, NotStarted, Unsaid int
	Fixes, Unfixed                          int
	ordinary, unsaidOrdinary                int
	wrong                                   map[string]int
}

// Add counts one more.
func (s *Sums) Add(v Verdict) {
	s.All++
	s.Fixes += v.Fixes
	s.Unfixed += len(v.Unfixed)
	if !v.Draw.Odd {
		s.ordinary++
		if v.Predicted.Kind == CouldNotSay {
			s.unsaidOrdinary++
		}
	}
	switch {
	case v.Predicted.Kind == CouldNotSay:
		s.Unsaid++
	case v.Came.Binds():
		s.Bound++
	case v.Came.Kind == Refused:
		s.Refused++
	default:
		s.NotStarted++
	}
	if v.Wrong != "" {
		if s.wrong == nil {
			s.wrong = map[string]int{}
		}
		s.wrong[v.Wrong]++
	}
}

// Wrong is how many were wrong, of every kind, and how many fixes did not help.
func (s Sums) Wrong() int {
	n := s.Unfixed
	for _, count := range s.wrong {
		n += count
	}
	return n
}

func (s Sums) String() string {
	return fmt.Sprintf("%d services: %d bound, %d refused, %d not started, %d could not be told (%.1f %%, of %d ordinary ones %.1f %%); false passes %d, false refusals %d, other stories %d; fixes applied %d, without help %d",
		s.All, s.Bound, s.Refused, s.NotStarted, s.Unsaid, 100*float64(s.Unsaid)/float64(max(s.All, 1)),
		s.ordinary, 100*float64(s.unsaidOrdinary)/float64(max(s.ordinary, 1)),
		s.wrong["false pass"], s.wrong["false refusal"], s.wrong["other story"], s.Fixes, s.Unfixed)
}
