// Package program reads an executable file and reports what it is: the format
// that execve(2) finds, what has to be there for it to start, and what it does
// about capabilities and inherited sockets.
package program
