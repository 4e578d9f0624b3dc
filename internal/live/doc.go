// Package live reads the evidence that lowport reasons with from this machine.
//
// [Read] reads it into a record, the raw bytes by name; package facts makes sense
// of them. Nothing here decides anything.
package live
