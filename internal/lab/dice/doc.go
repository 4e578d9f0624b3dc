// Package dice draws situations that nobody chose, makes each on the kernel of this machine, and
// has the kernel judge what the guard says about it.
//
// A [Situation] is a value for each of some [Knobs]: what the file grants, who starts it and
// through which wrappers, what is mounted, filtered or taken. Each value is a few lines of shell,
// and none comes with an expectation. One value of each knob is harmless; the situation of
// harmless values alone binds.
//
// # The judge
//
// Where the guard explains a refusal, each sentence of it says what would happen in another
// situation, and that one is made too, in a fresh [box.Box]:
//
//	a  the first cause: with the knobs it stands for as they are and all others harmless,
//	   the bind is refused
//	b  the causes are complete: with all of them taken away the bind succeeds
//	c  every cause that is "proven" passes a
//	d  every fix, pasted as it is printed, leads to a bind, and ends no process that it does not name
//	e  what is said to be of no help does not help
//	f  where no fix is printed, none of the usual ones helps
//	g  what was predicted before the start is what happened
//	h  the causes, the gates, the JSON form and the text say the same
//	i  the recording, replayed, tells the same
//
// What leaves no trace behind something else is not drawn with it: [hidden].
//
// All that the judge knows of the guard is which knobs each cause stands for: [causes].
//
// Removing a knob can remove an execve, and who executes a program matters: setpriv still has
// its permitted set when it calls execve, a shell behind it has not. So a situation without a
// wrapper is made with another wrapper in its place as well, and either may show what was said.
package dice
