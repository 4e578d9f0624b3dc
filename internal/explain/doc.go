// Package explain names what refused: it walks the facts of a machine in the
// kernel's own order and stops at the first gate that is shut.
//
// A cause is [Proven] only if every fact looked at on the way was readable; one
// that was not makes it [Likely] at best. The facts looked at are the evidence.
package explain
