package termtest

import (
	"bufio"
	"fmt"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/lowport/lowport/internal/needs"
)

// Pty opens a terminal with so many columns: what is written to slave is read from master.
func Pty(t *testing.T, columns uint16) (master, slave *os.File) {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		needs.Lack(t, "/dev/ptmx")
	}
	t.Cleanup(func() { master.Close() })
	if err := unix.IoctlSetPointerInt(int(master.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(int(master.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	slave, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		needs.Lack(t, "/dev/pts")
	}
	t.Cleanup(func() { slave.Close() })
	if err := unix.IoctlSetWinsize(int(slave.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Col: columns}); err != nil {
		t.Fatal(err)
	}
	return master, slave
}

// ReadUntil reads lines from a master until the last one, as they were written to its slave.
func ReadUntil(lines *bufio.Reader, last string) (string, error) {
	var text strings.Builder
	for !strings.HasSuffix(text.String(), last) {
		line, err := lines.ReadString('\n')
		if err != nil {
			return "", err
		}
		text.WriteString(strings.ReplaceAll(line, "\r\n", "\n"))
	}
	return text.String(), nil
}

// TooWide returns the lines of more than one word that take more than so many columns, without what
// makes them bold.
func TooWide(text string, columns int) (wide []string) {
	for line := range strings.Lines(strings.NewReplacer("\x1b[1m", "", "\x1b[0m", "").Replace(text)) {
		line = strings.TrimSuffix(line, "\n")
		if len([]rune(line)) > columns && len(strings.Fields(line)) > 1 {
			wide = append(wide, line)
		}
	}
	return wide
}
