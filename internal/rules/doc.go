// Package rules decides as the kernel would, over the facts of a machine: may
// this bind happen, does this capability count, what would this program hold if
// it were started again. Its functions are pure, and answer [Unknown] where a
// fact they need is not known: nothing is guessed.
//
// Causes are the gates that refuse; a remedy is a change to the facts that makes
// the same rules allow.
package rules
