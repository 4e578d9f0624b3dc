package main

import (
	"os"

	"golang.org/x/sys/unix"
)

// width is the columns of the terminal that f is, if it is one (TIOCGWINSZ).
func width(f *os.File) (int, bool) {
	size, err := unix.IoctlGetWinsize(int(f.Fd()), unix.TIOCGWINSZ)
	if err != nil {
		return 0, false
	}
	return int(size.Col), true
}
