package audit

import (
	"encoding/json"
	"fmt"
	"iter"
	"log/slog"
	"strings"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/guard/report"
	inner "github.com/lowport/lowport/internal/audit"
	"github.com/lowport/lowport/internal/exit"
	"github.com/lowport/lowport/internal/term"
)

// A Report says what a running process could do in an attacker's hands, from
// the kernel's side. Its JSON form is stable; [Report.String] is the text form.
type Report struct {
	PID      int           `json:"pid"`
	Name     string        `json:"name"`     // of the process, as it calls itself
	Path     string        `json:"path"`     // of its program
	Unit     string        `json:"unit"`     // the systemd service it belongs to
	Severity string        `json:"severity"` // of the worst finding: "critical", "high", "medium", "unknown", "note" or "none"
	Holds    caps.Set      `json:"holds"`    // permitted on some thread
	Listens  []string      `json:"listens"`  // "tcp [::]:443"
	Findings []Finding     `json:"findings"` // the worst first
	Facts    []report.Fact `json:"facts"`    // what was read
	Fixes    []report.Fix  `json:"fixes"`

	sudo bool // whoever mends it is not root
}

// A Finding is one thing that an attacker could make use of.
type Finding struct {
	ID       string        `json:"id"`       // "root-capability"; see docs/audit.md
	Severity string        `json:"severity"` // as of the report, but "none"
	Summary  string        `json:"summary"`
	Allows   string        `json:"allows"` // what an attacker who has the process can do with it
	Helps    string        `json:"helps"`  // what ends it
	Facts    []report.Fact `json:"facts"`  // the evidence
	Fixes    []string      `json:"fixes"`  // the ids of the report's fixes that end it
}

// Process looks at a running process: the capabilities, ids, groups, no_new_privs
// and seccomp mode of all its threads, the user namespace that these count in, its
// sockets, and the file it runs, with who may change it. What could not be read is
// in the report as the finding "could-not-tell", which is worse than a note: a
// report without findings above notes is a proof of what it looks at.
//
// Of what the process has open it sees only the TCP and UDP sockets of its own network
// namespace and the caller's: no files, and no raw sockets from before a drop. Nor does
// it see what a thread alone has open (CLONE_FILES), who may change the script that an
// interpreter runs or the libraries that a program loads, or the rules of a security
// module. The children of the process are processes of their own: audit them too. Process
// waits for the file system that holds the program.
//
// Everything is read of one process, even if its id is reused meanwhile. For
// another user's process that takes CAP_SYS_PTRACE. Process changes nothing and
// starts no program.
//
// An error means that there is no report: the process does not exist or ended
// meanwhile ([ErrEnded]), or the system is not Linux ([errors.ErrUnsupported]).
func Process(pid int) (Report, error) {
	p, err := inner.Read(pid)
	if err != nil {
		return Report{}, fmt.Errorf("audit: %w", err)
	}
	return audited(p), nil
}

// All audits every process that has a thread with a capability or with root's id, or that
// listens below the threshold of its network namespace, in the order of process ids. A
// process that could not be read is included, with the finding "could-not-tell". Kernel
// threads and processes that end meanwhile are left out.
//
// An error comes with a zero report, and the iteration goes on where it can. It
// wraps [ErrHidden] where /proc hides processes of other users (hidepid=,
// proc(5)): then the list is incomplete, and no proof.
func All() iter.Seq2[Report, error] {
	return func(yield func(Report, error) bool) {
		for p, err := range inner.ReadAll() {
			switch {
			case err != nil && !yield(Report{}, fmt.Errorf("audit: %w", err)):
				return
			case err == nil && p.Concerns() && !yield(audited(p), nil):
				return
			}
		}
	}
}

// ErrEnded is in the error of [Process] for a process that does not exist, or that
// ended while it was read.
var ErrEnded = inner.ErrEnded

// ErrHidden is in an error of [All]: there may be processes that it cannot see.
var ErrHidden = inner.ErrHidden

// OK reports whether everything could be read and nothing above a note was found.
func (r Report) OK() bool { return !inner.Severity(r.Severity).Above(inner.Note) }

// ExitCode returns the status for a program that prints r: 0 if r is OK, 1 if something
// above a note was found, otherwise 77 (EX_NOPERM): something could not be read.
func (r Report) ExitCode() int {
	switch {
	case r.OK():
		return 0
	case inner.Severity(r.Severity) == inner.Unknown:
		return exit.NoPerm
	default:
		return 1
	}
}

// audited makes the report of a process.
func audited(p inner.Process) Report {
	found := inner.Findings(p)
	r := Report{
		PID: p.PID, Name: term.Show(p.Name.Value), Path: term.Show(p.Path.Value), Unit: p.Unit.Value.Name,
		Severity: string(inner.Worst(found)), Holds: p.Holds(), sudo: !p.AsRoot,
		Listens: []string{}, Findings: []Finding{}, Facts: shown(inner.Evidence(p)), Fixes: []report.Fix{},
	}
	for _, l := range p.Listens.Value {
		r.Listens = append(r.Listens, l.Network+" "+l.Addr.String())
	}
	ends := map[string][]string{}
	for _, f := range inner.Fixes(p) {
		r.Fixes = append(r.Fixes, f.Fix)
		for _, id := range f.Ends {
			ends[id] = append(ends[id], f.ID)
		}
	}
	for _, f := range found {
		r.Findings = append(r.Findings, Finding{
			ID: f.ID, Severity: string(f.Severity), Summary: f.Summary, Allows: f.Allows, Helps: f.Helps,
			Facts: shown(f.Evidence), Fixes: append([]string{}, ends[f.ID]...),
		})
	}
	return r
}

// shown makes the evidence fit to print.
func shown(all []report.Fact) []report.Fact {
	facts := []report.Fact{}
	for _, e := range all {
		e.Name, e.Value = term.Show(e.Name), term.Show(e.Value)
		facts = append(facts, e)
	}
	return facts
}

// MarshalJSON writes an empty array for a list that is nil.
func (r Report) MarshalJSON() ([]byte, error) {
	type plain Report // without this method
	r.Listens = append([]string{}, r.Listens...)
	r.Findings = append([]Finding{}, r.Findings...)
	r.Facts = append([]report.Fact{}, r.Facts...)
	r.Fixes = append([]report.Fix{}, r.Fixes...)
	return json.Marshal(plain(r))
}

// LogValue returns the report as a group for [log/slog], with the ids of the
// findings.
func (r Report) LogValue() slog.Value {
	return slog.GroupValue(slog.Int("pid", r.PID), slog.String("name", r.Name), slog.String("unit", r.Unit),
		slog.String("severity", r.Severity), slog.String("holds", r.Holds.String()), slog.Any("listens", r.Listens), slog.Any("findings", r.ids()))
}

// ids are those of the findings above notes.
func (r Report) ids() []string {
	ids := []string{}
	for _, f := range r.Findings {
		if inner.Severity(f.Severity).Above(inner.Note) {
			ids = append(ids, f.ID)
		}
	}
	return ids
}

// headline is what the process is, and the worst that was found.
func (r Report) headline() string {
	head := fmt.Sprintf("process %d", r.PID)
	var more []string
	for _, s := range []string{r.Name, r.Path, r.Unit} {
		if s != "" {
			more = append(more, s)
		}
	}
	if len(more) > 0 {
		head += " (" + strings.Join(more, ", ") + ")"
	}
	switch inner.Severity(r.Severity) {
	case inner.None:
		return head + ": nothing found"
	case inner.Note:
		return head + ": nothing found but notes"
	case inner.Unknown:
		return head + ": could not tell"
	}
	return head + ": " + r.Severity
}
