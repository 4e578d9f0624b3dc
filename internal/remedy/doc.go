// Package remedy proposes what would help, and proposes nothing else: each
// candidate is a change to the facts of the machine, kept only if the rules,
// run over the changed facts, then allow what was refused.
//
// It also writes the commands: quoted so that no path, name or argument can be
// anything but one word of them.
package remedy
