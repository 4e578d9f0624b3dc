package facts

// NotRecorded is the reason of a fact that a recording lacks, as one of an older version may.
const NotRecorded = "not recorded"

// A State says whether a fact may be relied on. The zero value is the careful
// one: a fact nobody looked for is not known.
type State uint8

const (
	Unreadable State = iota // could not tell, or not looked for; Reason says why
	Absent                  // looked for, and there is none
	Known                   // Value holds
)

// String returns the name that reports use.
func (s State) String() string {
	switch s {
	case Known:
		return "known"
	case Absent:
		return "absent"
	default:
		return "unreadable"
	}
}

// A Fact is one thing read from the machine, and how well it is known. Value
// means something only where State is Known.
type Fact[T any] struct {
	Value  T
	State  State
	Source string // where it was read: a path, or the name of a system call
	Reason string // the errno's name or the parse error, where not Known
}

// Is returns the value, and whether it is known.
func (f Fact[T]) Is() (T, bool) { return f.Value, f.State == Known }

// Now returns the fact with another value: what a remedy makes of it.
func (f Fact[T]) Now(v T) Fact[T] {
	f.Value, f.State, f.Reason = v, Known, ""
	return f
}

// None returns the fact as absent: what a remedy removes.
func (f Fact[T]) None() Fact[T] {
	var zero T
	f.Value, f.State, f.Reason = zero, Absent, ""
	return f
}
