package audit_test

import (
	"bufio"
	"strings"
	"testing"

	"github.com/lowport/lowport/guard/audit"
	"github.com/lowport/lowport/guard/report"
	"github.com/lowport/lowport/internal/term/termtest"
)

// On a terminal of 40 columns everything but long words is broken, and the first line is bold.
func TestReportNarrow(t *testing.T) {
	t.Setenv("NO_COLOR", "")
	t.Setenv("TERM", "xterm")
	master, slave := termtest.Pty(t, 40)
	r := audit.Report{PID: 812, Name: "server", Path: "/srv/app/a/long/path/of/a/server", Severity: "medium", Findings: []audit.Finding{{
		ID: "may-gain", Severity: "medium", Summary: "programs that it starts may gain privileges",
		Allows: "gain privileges by a flaw in sudo, su, mount or another such program", Helps: "NoNewPrivileges=yes in its unit",
		Facts: []report.Fact{{Says: "NoNewPrivs 0: execve may grant more", Source: "/proc/812/status", State: "known"}},
	}}}
	if err := r.Print(slave); err != nil {
		t.Fatal(err)
	}
	if _, err := slave.WriteString("end\n"); err != nil {
		t.Fatal(err)
	}
	said, err := termtest.ReadUntil(bufio.NewReader(master), "end\n")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(said, "\x1b[1mprocess 812") || strings.Count(said, "\x1b") != 2 {
		t.Errorf("not one bold line: %q", said)
	}
	for _, line := range termtest.TooWide(said, 40) {
		t.Errorf("%d columns: %q", len([]rune(line)), line)
	}
}
