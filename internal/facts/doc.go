// Package facts holds the evidence that lowport reasons with, as plain values.
//
// A [Record] is the evidence as internal/live read it from this machine or as it was
// recorded on another one, the raw bytes by name; [Record.Facts] makes sense of it.
//
// Every [Fact] is known, absent or unreadable. Nothing here reads or decides anything.
package facts
