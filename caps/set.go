package caps

import (
	"fmt"
	"iter"
	"math/bits"
)

// A Set is a set of capabilities: bit n stands for capability n, as in the
// Cap* lines of /proc/PID/status. The zero value is the empty set. Sets
// compare with ==.
type Set uint64

// SetOf returns the set of the given capabilities. A number above 63 fits no
// set, which panics: it can only be a mistake in the program.
func SetOf(cs ...Cap) Set {
	var s Set
	for _, c := range cs {
		s = s.With(c)
	}
	return s
}

// UpTo returns the set of every capability from 0 to last: what a kernel whose
// cap_last_cap is last calls full.
func UpTo(last Cap) Set {
	return Set(1)<<(uint(last)+1) - 1
}

// Has reports whether c is in s.
func (s Set) Has(c Cap) bool { return c < 64 && s>>c&1 == 1 }

// With returns s with c added. It panics if c is above 63.
func (s Set) With(c Cap) Set {
	if c > 63 {
		panic(fmt.Sprintf("caps: capability %d does not fit a Set", c))
	}
	return s | 1<<c
}

// Without returns s with c removed.
func (s Set) Without(c Cap) Set { return s &^ (1 << c) }

// Contains reports whether every capability of t is in s.
func (s Set) Contains(t Set) bool { return t&^s == 0 }

// Len returns the number of capabilities in s.
func (s Set) Len() int { return bits.OnesCount64(uint64(s)) }

// All iterates over the capabilities of s in ascending order.
func (s Set) All() iter.Seq[Cap] {
	return func(yield func(Cap) bool) {
		for rest := uint64(s); rest != 0; rest &= rest - 1 {
			if !yield(Cap(bits.TrailingZeros64(rest))) {
				return
			}
		}
	}
}

// Hex returns s as /proc/PID/status prints it: 16 lower-case hex digits.
func (s Set) Hex() string {
	var room [16]byte
	return string(s.AppendHex(room[:0]))
}

// String returns the names of s in ascending order, joined by commas, as in
// "cap_chown,cap_net_bind_service", and "" for the empty set.
func (s Set) String() string {
	var room [roomForText]byte
	return string(s.appendNames(room[:0]))
}

// roomForText is what a text is written into first, in bytes, so that the string is all
// that is allocated: every name is in it once.
const roomForText = 1024
