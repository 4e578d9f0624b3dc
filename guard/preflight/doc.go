// Package preflight predicts, before a program runs anywhere, what package guard will do
// in it: [Bind] for addresses, [Require] for capabilities. [Running] asks the same about a
// process that runs already, in any language.
//
//	_, err := preflight.Bind(preflight.Launch{Unit: "app.service"}, ":443")
//
// A [Container] is a start by an engine, on any machine: it is decided from what the engine is
// asked for and from the image, before anything is built or pulled.
//
// It also finds what a program can never report itself, since it is not even
// executed: a file with the effective bit where the bounding set lacks the
// capability (exec-refused). It knows what a unit's directives do to a bind, in
// systemd 249 to 262. It cannot see what the program does to itself, or what a
// security module or a BPF program does to a unit.
//
// A server does not import it: it is for who deploys one.
package preflight
