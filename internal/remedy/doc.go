// Package remedy proposes what would help, and nothing else. Each candidate changes the facts
// of the machine; it is kept only if package kernel, run over the changed facts, allows what
// was refused.
//
// It also writes the commands. It quotes every path, name and argument, so that each is one
// word of its command.
package remedy
