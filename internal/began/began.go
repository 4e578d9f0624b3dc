// Package began notes what the program held when it started: before its own code ran,
// and so before it can have given anything up. What it lacks later and held then, it let
// go of itself.
package began

import "github.com/lowport/lowport/caps"

// A State is what the first thread held.
type State struct {
	Inheritable, Permitted, Effective caps.Set
	NoNewPrivs                        bool
}

// Noted returns what was noted, and whether it could be.
func Noted() (State, bool) { return state, ok }
