//go:build !linux

package began

var state, ok = State{}, false
