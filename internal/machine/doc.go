// Package machine reads the evidence that lowport reasons with.
//
// [Live] reads it from this machine into a [Record], the raw bytes by name;
// [Record.Facts] makes sense of them. A record saved as a txtar archive and
// loaded elsewhere gives the same facts: a machine can be replayed.
//
// Every [Fact] is known, absent or unreadable. Nothing here decides anything.
package machine
