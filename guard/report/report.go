package report

import "encoding/json"

// A Report says whether something was granted, and if not, why not and what
// would help here. Its JSON form is stable; [Report.String] is the text form.
type Report struct {
	Subject   string   `json:"subject"` // "bind tcp :443", "bind tcp :53, udp :53" or "require cap_net_admin"
	OK        bool     `json:"ok"`
	Errno     string   `json:"errno"` // "EACCES"; "" where the kernel was not asked
	Error     string   `json:"error"` // the plain error that the report explains
	Causes    []Cause  `json:"causes"`
	Facts     []Fact   `json:"facts"`
	Gates     []Gate   `json:"gates"`     // of the first address that was refused; none where nothing was read
	Fixes     []Fix    `json:"fixes"`     // the first is the one to take
	Unhelpful []string `json:"unhelpful"` // tempting changes that would not help
	Notes     []string `json:"notes"`     // surprises that are no failure
	Via       string   `json:"via"`       // how a bind succeeded: "inherited", "plain", "raised" or "authbind"; of several all that occur

	Headline string `json:"-"` // the first line of the text form, up to the cause
	Sudo     bool   `json:"-"` // whoever mends it is not root
}

// MarshalJSON writes an empty array for a list that is nil.
func (r Report) MarshalJSON() ([]byte, error) {
	type report Report // without this method
	r.Causes = append([]Cause{}, r.Causes...)
	r.Facts = append([]Fact{}, r.Facts...)
	r.Gates = append([]Gate{}, r.Gates...)
	r.Fixes = append([]Fix{}, r.Fixes...)
	r.Unhelpful = append([]string{}, r.Unhelpful...)
	r.Notes = append([]string{}, r.Notes...)
	return json.Marshal(report(r))
}

// A Cause is one obstacle. The first of a report is what refused; the rest are
// further obstacles that it hides.
type Cause struct {
	ID        string `json:"id"`        // "no-new-privs", which has a section in docs/causes.md
	Certainty string `json:"certainty"` // [Proven], [Likely] or [Possible]
	Summary   string `json:"summary"`   // what is wrong, in one line
	Detail    string `json:"detail"`    // the rule of the kernel behind it

	Exit int `json:"-"` // the status of sysexits(3) for a program that ends because of it; 0 for 77
}

// How far the evidence of a cause goes.
const (
	Proven   = "proven"   // it excludes every other cause
	Likely   = "likely"   // it fits, and something could not be read
	Possible = "possible" // nothing speaks against it
)

// A Fact is a piece of the evidence, and where to see it by hand.
type Fact struct {
	Name   string `json:"name"`
	Value  string `json:"value"`
	Source string `json:"source"`
	State  string `json:"state"` // "known", "absent" or "unreadable"

	Says string `json:"-"` // the line of the text form; "" where it has none
}

// A Gate is a question that the kernel asks before it binds, as docs/decision.svg draws it,
// and this machine's answer. The gates behind the refusing one are answered too.
type Gate struct {
	Name     string `json:"name"`
	Question string `json:"question"`
	Answer   string `json:"answer"` // "yes", "no" or "could not tell"
}

// A Fix is a change after which the kernel's rules allow what was refused.
type Fix struct {
	ID      string `json:"id"`    // "setcap"; "remount+restart" for changes that help only together
	Scope   string `json:"scope"` // "file", "unit", "container", "pod", "netns", "host" or "code"
	Summary string `json:"summary"`
	Lasts   string `json:"lasts"`             // "until the file is replaced or chowned"
	Depends string `json:"depends,omitempty"` // what could not be seen and has to hold for it; "" for nothing
	Costs   string `json:"costs,omitempty"`   // what it takes from the program; "" for nothing
	Steps   []Step `json:"steps"`             // in their order
}

// A Step has one of Run, Write, Start and Edit.
type Step struct {
	Run     string `json:"run,omitempty"`     // a command line for a POSIX shell
	Write   string `json:"write,omitempty"`   // a file to write Content to
	Start   string `json:"start,omitempty"`   // the command line to start the program with from now on
	Edit    string `json:"edit,omitempty"`    // a file or command of the operator's own to put Content into
	Content string `json:"content,omitempty"` // of Write or Edit
}
