package guard

import (
	"bufio"
	"strings"
	"testing"

	"github.com/lowport/lowport/internal/term/termtest"
)

// On a terminal of 40 columns everything but commands and long words is broken, and the
// first line is bold.
func TestReportNarrow(t *testing.T) {
	t.Setenv("NO_COLOR", "")
	t.Setenv("TERM", "xterm")
	master, slave := termtest.Pty(t, 40)
	lines := bufio.NewReader(master)
	for name, err := range all(t) {
		got := ""
		read := make(chan error, 1)
		go func() {
			text, err := termtest.ReadUntil(lines, "end\n")
			got = text
			read <- err
		}()
		if err := err.Report.Print(slave); err != nil {
			t.Fatal(err)
		}
		if _, err := slave.WriteString("end\n"); err != nil {
			t.Fatal(err)
		}
		if err := <-read; err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(got, "\x1b[1m") || strings.Count(got, "\x1b") != 2 {
			t.Errorf("%s: not one bold line: %q", name, got)
		}
		prose, _, _ := strings.Cut(got, "\nfix: ")
		for _, line := range termtest.TooWide(prose, 40) {
			t.Errorf("%s: %d columns: %q", name, len([]rune(line)), line)
		}
	}
}
