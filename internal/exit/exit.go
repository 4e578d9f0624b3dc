// Package exit has the exit codes of sysexits(3) that reports end a program with.
package exit

const (
	Usage       = 64 // EX_USAGE
	Unavailable = 69 // EX_UNAVAILABLE
	NoPerm      = 77 // EX_NOPERM
)
