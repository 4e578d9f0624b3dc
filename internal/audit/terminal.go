package audit

import (
	"fmt"
	"strings"

	"github.com/lowport/lowport/guard/report"
)

// A Terminal is one that the process shares with processes of other users.
type Terminal struct {
	Path     string
	FD       int  // a descriptor of it, or -1: it has none, and opens /dev/tty
	Controls bool // it is the controlling terminal, or may become it, for it is nobody's
	Master   bool // the descriptor is the other end: what is written there is typed
	Virtual  bool // a virtual console (vcs(4))
	Others   []Sitter
}

// A Sitter is a process of another user that has the terminal as its controlling one or as
// its standard input.
type Sitter struct {
	PID  int
	UIDs IDs
}

// Typing says who may type into a terminal by an ioctl(2).
type Typing struct {
	Inserts bool // TIOCSTI: anybody into the controlling terminal, and not only CAP_SYS_ADMIN
	Pastes  bool // TIOCLINUX: likewise, into a virtual console
}

// sharedTerminal: whoever types into the terminal of root's shell has it run commands
// (tiocsti, tioclinux), and whoever reads there gets what root types, in a session of its own
// even while the shell waits for it (__tty_check_change).
func sharedTerminal(p Process) (Finding, bool) {
	f := Finding{ID: "shared-terminal", Severity: Medium}
	if p.IsRoot() {
		return f, false
	}
	for _, t := range p.Terminals.Value {
		if len(t.Others) == 0 {
			continue
		}
		other := t.other()
		whose := fmt.Sprintf("process %d of uid %d", other.PID, other.uid())
		f.Evidence = append(f.Evidence, p.terminal(t, whose))
		types, root := p.types(t), other.uid() == 0
		switch {
		case types && root && f.Severity != High:
			f.Severity, f.Allows = High, "have root's shell run a command"
			f.Summary = "it may type into the terminal of " + whose
		case f.Summary != "":
		case types:
			f.Allows = "have the shell there run a command, as that user"
			f.Summary = "it may type into the terminal of " + whose
		default:
			f.Summary = "it may read the terminal of " + whose
		}
	}
	return f, f.Summary != ""
}

// other is a process of root if there is one.
func (t Terminal) other() Sitter {
	for _, o := range t.Others {
		if o.UIDs.has(0) {
			return o
		}
	}
	return t.Others[0]
}

func (s Sitter) uid() uint32 {
	if s.UIDs.has(0) {
		return 0
	}
	return s.UIDs.Effective
}

// types reports whether the process may type into a terminal. Where that is not known it may
// not: couldNotTell says so.
func (p Process) types(t Terminal) bool {
	typing := p.Typing.Value
	return t.Master || t.Controls && (typing.Inserts || t.Virtual && typing.Pastes)
}

// needsTyping reports whether the machine's settings decide over a finding.
func (p Process) needsTyping() bool {
	for _, t := range p.Terminals.Value {
		if t.Controls && !t.Master && len(t.Others) > 0 && !p.IsRoot() {
			return true
		}
	}
	return false
}

func (p Process) terminal(t Terminal, whose string) report.Fact {
	name := "stat"
	says := t.Path + " is its controlling terminal, and that of " + whose
	if t.FD >= 0 {
		name = fmt.Sprintf("fd/%d", t.FD)
		says = fmt.Sprintf("descriptor %d is %s, where %s is", t.FD, t.Path, whose)
	}
	if t.Master {
		says = fmt.Sprintf("descriptor %d is the other end of %s, where %s is", t.FD, t.Path, whose)
	}
	return known("terminal", t.Path, says, p.source(name))
}

// parseTyping reads /proc/sys/dev/tty/legacy_tiocsti, which kernels before 6.2 have not, and
// the kernel's release: since 6.7 TIOCLINUX pastes for CAP_SYS_ADMIN alone.
func parseTyping(sysctl []byte, absent bool, release string) (t Typing, err error) {
	switch text := strings.TrimSpace(string(sysctl)); {
	case absent:
		t.Inserts = true
	case text == "0" || text == "1":
		t.Inserts = text == "1"
	default:
		return Typing{}, fmt.Errorf("legacy_tiocsti: %.20q", text)
	}
	var major, minor int
	if _, err := fmt.Sscanf(release, "%d.%d", &major, &minor); err != nil {
		return Typing{}, fmt.Errorf("release %.40q: %w", release, err)
	}
	t.Pastes = major < 6 || major == 6 && minor < 7
	return t, nil
}
