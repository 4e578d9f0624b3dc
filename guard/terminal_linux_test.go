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
		var text strings.Builder
		read := make(chan error, 1)
		go func() {
			for !strings.HasSuffix(text.String(), "end\n") {
				line, err := lines.ReadString('\n')
				if err != nil {
					read <- err
					return
				}
				text.WriteString(strings.ReplaceAll(line, "\r\n", "\n"))
			}
			read <- nil
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
		if got := text.String(); !strings.HasPrefix(got, "\x1b[1m") || strings.Count(got, "\x1b") != 2 {
			t.Errorf("%s: not one bold line: %q", name, got)
		}
		prose, _, _ := strings.Cut(text.String(), "\nfix: ")
		for line := range strings.Lines(prose) {
			line = strings.NewReplacer("\x1b[1m", "", "\x1b[0m", "", "\n", "").Replace(line)
			if len([]rune(line)) > 40 && len(strings.Fields(line)) > 1 {
				t.Errorf("%s: %d columns: %q", name, len([]rune(line)), line)
			}
		}
	}
}
