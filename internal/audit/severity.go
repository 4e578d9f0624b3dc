package audit

import "slices"

// A Severity ranks what was found.
type Severity string

const (
	Critical Severity = "critical" // root for whoever comes by the process over the network, or by its file
	High     Severity = "high"     // root for whoever has the process
	Medium   Severity = "medium"   // more than the process needs
	Unknown  Severity = "unknown"  // something could not be read: it may be anything
	Note     Severity = "note"     // worth knowing
	None     Severity = "none"     // nothing was found
)

var ranks = []Severity{Critical, High, Medium, Unknown, Note, None}

func (s Severity) rank() int { return slices.Index(ranks, s) }

// Above reports whether s is worse than t.
func (s Severity) Above(t Severity) bool { return s.rank() < t.rank() }

// worse is the next above s.
func (s Severity) worse() Severity { return ranks[max(s.rank()-1, 0)] }
