// Package guardtest tests, without root and on every system, what a program does
// where the guard lets it bind and where it does not.
//
// A [Machine] has the methods Bind, BindPacket, BindAll, Listen, ListenPacket and Require,
// in the form of guard's functions of these names. A program that takes the function as a
// value can be given one or the other:
//
//	func serve(bind func(string, ...guard.Option) (net.Listener, error)) error
//
//	serve(guard.Bind)                  // in main
//	serve(guardtest.OrdinaryUser.Bind) // in a test
//
// # Machines
//
// Each of the machines here was recorded where the situation was real, as its
// first lines say. [Machine.With] changes one thing about it. To record one of
// your own, run `doctor -record :443` or call [recording.Make] there, and keep the
// file in testdata:
//
//	b, err := os.ReadFile("testdata/production.txtar")
//	…
//	_, err = guardtest.Machine(b).Bind(":443")
package guardtest
