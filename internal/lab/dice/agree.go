//go:build linux

package dice

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"

	"github.com/lowport/lowport/guard"
	"github.com/lowport/lowport/guard/recording"
)

// agree checks that the forms of one report say the same (h).
func agree(_ Situation, o Outcome) (wrong []Wrong, _ error) {
	r := o.Report
	say := func(said, format string, args ...any) {
		wrong = append(wrong, Wrong{'h', said, fmt.Sprintf(format, args...)})
	}
	if len(r.Causes) == 0 {
		say("nothing", "a refusal without a cause")
		return wrong, nil
	}
	text := unwrapped(o.Said.Text)
	at := 0
	for _, c := range r.Causes {
		i := strings.Index(text[at:], unwrapped(c.Detail))
		if i < 0 || c.Detail == "" {
			say(c.ID, "the text does not have its detail %q, or in another order", c.Detail)
			continue
		}
		at += i
	}
	if !strings.Contains(unwrapped(o.Said.Line), unwrapped(r.Causes[0].Summary)) {
		say(r.Causes[0].ID, "the one line is %q", o.Said.Line)
	}
	texts := blocks(o.Said.Text)
	if len(texts) != len(r.Fixes) {
		say(strings.Join(r.fixes(), " "), "the text has %d fixes", len(texts))
		texts = nil
	}
	for i, text := range texts {
		for _, s := range r.Fixes[i].Steps {
			if !strings.Contains(text, s.Run+s.Start+s.Write+s.Edit) {
				say("fix "+r.Fixes[i].ID, "the text has %q, and not %+v", text, s)
			}
		}
	}
	return append(wrong, gates(r)...), nil
}

// gates checks the answers of the gates against the causes.
func gates(r Report) (wrong []Wrong) {
	if len(r.Gates) == 0 {
		return nil
	}
	answers := make(map[string]string)
	shut := false
	for _, g := range r.Gates {
		answers[g.Name] = g.Answer
		shut = shut || g.Answer != "yes" && g.Name != "port"
	}
	if !shut {
		wrong = append(wrong, Wrong{'h', strings.Join(r.causes(), " "), "every gate says yes"})
	}
	for i, c := range r.Causes {
		at := words(causes[c.ID].gates)
		if i > 0 && c.Certainty != "proven" || len(at) == 0 {
			continue
		}
		if !slices.ContainsFunc(at, func(name string) bool { return answers[name] != "yes" }) {
			wrong = append(wrong, Wrong{'h', fmt.Sprintf("%s (%s)", c.ID, c.Certainty), fmt.Sprintf("the gate %s says yes", strings.Join(at, " or "))})
		}
	}
	return wrong
}

// unwrapped is a text in one line.
func unwrapped(text string) string { return strings.Join(strings.Fields(text), " ") }

// replayed checks that the recording tells the same (i).
func replayed(s Situation, o Outcome) ([]Wrong, error) {
	if o.Said.Recording == "" || !s.is("ask", "bind") {
		return nil, nil
	}
	var lc net.ListenConfig
	lc.SetMultipathTCP(s.is("mptcp", "on"))
	err := recording.Replay([]byte(o.Said.Recording), s.network()+"/"+recorded(s, o.Said.Recording), guard.ListenConfig(lc))
	var refused *guard.Error
	said := told(o.Report.causes(), o.Report.fixes())
	if !errors.As(err, &refused) {
		return []Wrong{{'i', said, fmt.Sprintf("the replay says %v", err)}}, nil
	}
	var ids, fixes []string
	for i, c := range refused.Report.Causes {
		ids = append(ids, c.ID)
		if i < len(o.Report.Causes) && c.ID == o.Report.Causes[i].ID && c.Certainty != o.Report.Causes[i].Certainty {
			return []Wrong{{'i', c.ID + " " + o.Report.Causes[i].Certainty, "the replay says " + c.Certainty}}, nil
		}
	}
	for _, f := range refused.Report.Fixes {
		fixes = append(fixes, f.ID)
	}
	if again := told(ids, fixes); again != said {
		return []Wrong{{'i', said, "the replay says " + again}}, nil
	}
	return nil, nil
}

// recorded is the address in a recording, which does not have that of the machine.
func recorded(s Situation, recording string) string {
	for line := range strings.Lines(recording) {
		if words := strings.Fields(line); len(words) > 1 && words[0] == "bind" {
			if where := strings.TrimPrefix(words[1], "udp/"); strings.Contains(where, ":") {
				return where
			}
			break
		}
	}
	return s.host() + ":" + s.port()
}

func told(causes, fixes []string) string {
	return fmt.Sprintf("causes %q, fixes %q", causes, fixes)
}
