// Package predict says how the bind of an address would go by the facts of a machine, where
// no kernel is asked: before a program starts, or from a recording.
package predict
