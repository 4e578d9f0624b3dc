//go:build linux

package dice

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/lowport/lowport/internal/lab/box"
)

// fixes pastes every fix that the report prints (d).
func (j *Judge) fixes(s Situation, o Outcome) (wrong []Wrong, err error) {
	for i, f := range o.Report.Fixes {
		var why string
		if slices.ContainsFunc(f.Steps, step.byHand) {
			why, err = j.edited(s, f)
		} else {
			why, err = j.pasted(s, i, f)
		}
		if err != nil {
			return nil, err
		}
		if why != "" {
			wrong = append(wrong, Wrong{'d', "fix " + f.ID, why})
		}
	}
	return wrong, nil
}

// edited does to the situation what a fix has to be done by hand for, as far as knobs do it, and
// says what is wrong with that.
func (j *Judge) edited(s Situation, f fix) (string, error) {
	for _, step := range f.Steps {
		switch content := step.Content; {
		case strings.Contains(content, "ip_unprivileged_port_start"):
			s = s.with("threshold", "port")
		case f.ID == "launcher":
			s = s.with("grant", "ambient").without("change")
		case f.ID == "every-address":
			s = s.without("address")
		case strings.Contains(content, "setcap"):
			s = s.with("file", "granted")
		case strings.Contains(content, "NET_BIND_SERVICE") && f.ID == "cap-add": // podman's is ambient
			s = s.with("grant", "ambient").without("bounding")
		default:
			return "", nil
		}
	}
	a, err := j.ask(true, s)
	if err != nil || len(a.bound) > 0 || len(a.refused) == 0 {
		return "", err
	}
	return a.String(), nil
}

// pasted makes the situation anew, pastes fix number i of its report and says what is wrong
// with that, "" if nothing is.
func (j *Judge) pasted(s Situation, i int, f fix) (why string, err error) {
	err = j.in(s, func(p *place) error {
		if err := p.explain(); err != nil {
			return err
		}
		o, err := p.start()
		if err != nil {
			return err
		}
		texts := blocks(o.Said.Text)
		if len(texts) <= i || len(texts) != len(o.Report.Fixes) || o.Report.Fixes[i].ID != f.ID {
			why = fmt.Sprintf("in a second copy the fixes are %q, and %d in the text", o.Report.fixes(), len(texts))
			return nil
		}
		r, err := p.paste(texts[i])
		if err != nil {
			return err
		}
		if r.Code != 0 && len(r.Said) == 0 && f.Depends != "" && s.is("holder", "kernel") {
			return nil // as it said
		}
		if r.Code != 0 && len(r.Said) == 0 {
			why = fmt.Sprintf("status %d of\n%s%s", r.Code, texts[i], r.Output)
			return nil
		}
		after, err := p.fixed(f, r)
		switch {
		case errors.Is(err, errUnmade):
			why = fmt.Sprintf("the program does not start after\n%s%v", texts[i], err)
			return nil
		case err != nil:
			return err
		case !after.Bound && f.Depends != "" && slices.Equal(after.Report.causes(), []string{"address-in-use"}): // as it said
		case !after.Bound:
			why = fmt.Sprintf("it is still refused, %s %q, after\n%s", after.Report.Errno, after.Report.causes(), texts[i])
			return nil
		}
		for _, other := range []string{"bystander", "holder"} {
			if other == "holder" && (s.is("holder", "none", "time-wait", "passed", "kernel") || strings.Contains(f.ID, "stop-owner")) {
				continue
			}
			lives, err := p.alive(other)
			if err != nil {
				return err
			}
			if !lives {
				why = fmt.Sprintf("the %s has ended after\n%s", other, texts[i])
			}
		}
		return nil
	})
	return why, err
}

// fixed is how the program starts after a fix. A start step has started it.
func (p *place) fixed(f fix, pasted box.Result) (Outcome, error) {
	if slices.ContainsFunc(f.Steps, func(s step) bool { return s.Start != "" }) {
		return outcome(pasted)
	}
	o, err := p.start()
	// An owner that was told to stop may take a moment.
	for end := time.Now().Add(patience); err == nil && !o.Bound && strings.Contains(f.ID, "stop-owner") && time.Now().Before(end); {
		time.Sleep(20 * time.Millisecond)
		o, err = p.start()
	}
	return o, err
}

// A trial is a change that could help, and the situation in which it is made.
type trial struct {
	name string
	in   Situation
	does string // by root in the place, before the start; "" for nothing
	out  bool   // by root outside of the place
}

// helps makes the situation of a trial, does what it does, and reports whether the program binds.
func (j *Judge) helps(t trial) (bool, error) {
	bound := false
	err := j.in(t.in, func(p *place) error {
		if t.does != "" {
			argv := []string{"sh", "-c", t.does}
			if !t.out {
				argv = append(p.plan.enter(), argv...)
			}
			if r, err := p.box.Run(box.Command{Argv: argv}); err != nil || r.Code != 0 {
				return err // it cannot be done: no help
			}
		}
		o, err := p.start()
		bound = o.Bound
		return err
	})
	if errors.Is(err, errUnmade) {
		return false, nil
	}
	return bound, err
}

// The trials.
func (s Situation) setcap(flags string) trial {
	return trial{name: "setcap =" + flags, in: s, does: "setcap " + s.need() + "=" + flags + " " + commandLine([]string{s.onDisk()})}
}

func (s Situation) ambient() trial {
	return trial{name: "an ambient capability", in: s.with("grant", "ambient").without("change")}
}

func (s Situation) sysctl() trial {
	if s.is("by", "container") { // the container's own
		return trial{name: "the sysctl", in: s.with("threshold", "port")}
	}
	return trial{name: "the sysctl", in: s, does: "echo " + s.lowest() + " >/proc/sys/net/ipv4/ip_unprivileged_port_start"}
}

func (s Situation) stopOwner() trial {
	return trial{name: "stopping the owner", in: s, does: "owner=$(cat /run/holder); kill -9 $owner $(cat /proc/$owner/task/$owner/children); sleep 0.05"}
}

func (s Situation) bounded() []trial {
	return []trial{{name: "a full bounding set", in: s.without("bounding")}}
}

// A useless is a word by which the report names something that does not help, and what it is.
var useless = []struct {
	word   string
	trials func(Situation) []trial
}{
	{"setcap", func(s Situation) []trial { return []trial{s.setcap("ep"), s.setcap("p")} }},
	{"setpriv", func(s Situation) []trial { return []trial{s.ambient()} }},
	{"AmbientCapabilities", func(s Situation) []trial { return []trial{s.ambient()} }},
	{"any capability", func(s Situation) []trial { return []trial{s.ambient(), s.setcap("ep")} }},
	{"being root inside", func(s Situation) []trial { return nil }},
	{"being root", func(s Situation) []trial {
		return []trial{{name: "being root", in: s.with("user", "root").without("change")}}
	}},
	{"CapabilityBoundingSet", Situation.bounded},
	{"--cap-add", Situation.bounded},
	{"capabilities.add", Situation.bounded},
	{"a wider bounding set", Situation.bounded},
	{"of the host", func(s Situation) []trial {
		t := s.sysctl()
		t.name, t.out = "the host's sysctl", true
		return []trial{t}
	}},
}

// useless tries what is said to be of no help (e).
func (j *Judge) useless(s Situation, o Outcome) (wrong []Wrong, err error) {
	tried := make(map[string]bool)
	for _, text := range o.Report.Unhelpful {
		said, _, _ := strings.Cut(text, ": ")
		for _, u := range useless {
			if !strings.Contains(said, u.word) || u.word == "being root" && strings.Contains(said, "being root inside") {
				continue
			}
			for _, t := range u.trials(s) {
				if tried[t.name] {
					continue
				}
				tried[t.name] = true
				helps, err := j.helps(t)
				if err != nil {
					return nil, err
				}
				if helps {
					wrong = append(wrong, Wrong{'e', "no help: " + text, t.name + " helps"})
				}
			}
		}
	}
	return wrong, nil
}

// unfixed tries the usual fixes where none is printed (f).
func (j *Judge) unfixed(s Situation, o Outcome) (wrong []Wrong, err error) {
	if len(o.Report.Fixes) > 0 {
		return nil, nil
	}
	trials := []trial{s.setcap("p"), s.setcap("ep"), s.ambient()}
	if s.is("ask", "bind", "several") && s.is("launcher", "none", "unshare-m", "unshare-p", "chroot") {
		trials = append(trials, s.sysctl())
	}
	// Within two user namespaces nobody can tell who the user is outside: uid_map has the parent's ids.
	// And nobody is told to run a server as the machine's root.
	if !s.is("userns", "none", "nested") && !s.is("user", "root") {
		trials = append(trials, trial{name: "a start outside the user namespace", in: s.without("userns")})
	}
	if !s.is("holder", "none", "time-wait", "passed", "kernel") {
		trials = append(trials, s.stopOwner())
	}
	if !s.is("address", "any") {
		trials = append(trials, trial{name: "another address", in: s.without("address")})
	}
	for _, t := range trials {
		helps, err := j.helps(t)
		if err != nil {
			return nil, err
		}
		if helps {
			return []Wrong{{'f', fmt.Sprintf("no fix for %s", strings.Join(o.Report.causes(), " ")), t.name + " helps"}}, nil
		}
	}
	return nil, nil
}
