package term

import (
	"os"

	"golang.org/x/sys/unix"
)

// width returns the columns of the terminal that f is, if it is one (TIOCGWINSZ).
func width(f *os.File) (columns int, ok bool) {
	c, err := f.SyscallConn()
	if err != nil {
		return 0, false
	}
	err = c.Control(func(fd uintptr) {
		size, err := unix.IoctlGetWinsize(int(fd), unix.TIOCGWINSZ)
		if ok = err == nil; ok {
			columns = int(size.Col)
		}
	})
	return columns, ok && err == nil
}
