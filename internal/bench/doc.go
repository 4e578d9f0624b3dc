// Package bench compares package caps with its peers, side by side in speed and
// text by text in meaning, and guard.Bind with net.Listen. It is a module of its own, so that nobody who
// uses lowport depends on them. README.md has the results, most of which
// go run ./tables measures and writes.
package bench
