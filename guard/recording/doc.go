// Package recording keeps the evidence of one machine, to reason about it on another:
// [Make] on the machine, [Replay] anywhere.
//
//	saved, err := recording.Make(":443")
//	…
//	err = recording.Replay(saved, ":443") // as guard.Bind(":443") was refused there
//
// Package guardtest has machines that were recorded, to test a program on.
package recording
