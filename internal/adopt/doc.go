// Package adopt has real servers on lowport, each in a few lines, and no code of its own.
// It is a module of its own, so that what the servers need does not reach an importer.
//
// In the main.go of each server, a line that ends in "// new" is added for lowport, and one
// with "// was:" was what stands behind it. The test builds the server without them and with
// them. It starts both as an ordinary user, reads the fix in the server's own log, does what
// is written there, sees the server serve, and writes docs/adopt.md:
//
//	go test -update .
//
// heavy has the servers that take long to build, in a module of its own. They are tried where
// LOWPORT_ADOPT is "all", as by make adopt, or has their names.
package adopt
