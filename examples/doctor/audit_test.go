package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/guard"
	"github.com/lowport/lowport/guard/audit"
)

// The list has the worst first and 80 columns, and what could not be told is in
// the sum.
func TestAuditTable(t *testing.T) {
	table := auditTable{columns: 80}
	for _, r := range []audit.Report{
		{PID: 7, Name: "server", Path: "/srv/server", Severity: "note", Listens: []string{"tcp [::]:443"}},
		{PID: 9, Name: "hidden", Severity: "unknown", Findings: []audit.Finding{{ID: "could-not-tell", Severity: "unknown"}}},
		{PID: 8, Name: "hold", Path: "/srv/hold", Severity: "critical", Holds: caps.SetOf(caps.SYS_ADMIN, caps.NET_BIND_SERVICE),
			Listens:  []string{"tcp [::]:80", "tcp 0.0.0.0:6060"},
			Findings: []audit.Finding{{ID: "root-capability", Severity: "critical"}, {ID: "no-seccomp", Severity: "note"}}},
	} {
		table.add(r)
	}
	const want = `critical       8 hold            holds cap_net_bind_service cap_sys_admin,
                  tcp [::]:80, tcp 0.0.0.0:6060, root-capability
note           7 server          holds nothing, tcp [::]:443
2 processes hold a capability or listen on a low port: 1 critical, 1 note
too little could be read of 1 more: run this as root
`
	if got := table.String(); got != want {
		t.Errorf("%s\nnot\n%s", got, want)
	}
	for line := range strings.Lines(table.String()) {
		if len(line) > 81 {
			t.Error(line)
		}
	}
}

func TestWorse(t *testing.T) {
	for _, c := range [][3]int{{0, 0, 0}, {0, 77, 77}, {77, 0, 77}, {77, 1, 1}, {1, 77, 1}, {0, 1, 1}} {
		if got := worse(c[0], c[1]); got != c[2] {
			t.Errorf("%v: %d", c, got)
		}
	}
}

// The pid of a service that does not run is 0: no process, and not all of them.
func TestAuditOfNone(t *testing.T) {
	for _, pid := range []string{"0", "-1"} {
		if code := run([]string{"-audit", "-pid", pid}); code != 69 {
			t.Errorf("%s: exit status %d", pid, code)
		}
	}
}

// What is expected of a holder counts no more, and nothing else is taken away.
func TestAllowed(t *testing.T) {
	r := audit.Report{Unit: "app.service", Path: "/srv/app", Severity: "critical", Findings: []audit.Finding{
		{ID: "root", Severity: "critical", Fixes: []string{"user"}},
		{ID: "may-gain", Severity: "medium", Fixes: []string{"nnp"}},
		{ID: "no-seccomp", Severity: "note"},
	}, Fixes: []guard.Fix{{ID: "user"}, {ID: "nnp"}}}
	for text, want := range map[string]struct {
		severity string
		code     int
	}{
		"":                                    {"critical", 1},
		"/srv/app root may-gain":              {"critical", 1}, // it has a unit
		"app.service root":                    {"medium", 1},
		"app.service root may-gain # as ever": {"note", 0},
		"app.service *":                       {"none", 0},
	} {
		file := filepath.Join(t.TempDir(), "allow")
		if err := os.WriteFile(file, []byte("# expected\n\n"+text+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		expected, err := readAllowed(file)
		if err != nil {
			t.Fatal(err)
		}
		left := expected.without(r)
		c := command{fail: "medium"}
		if left.Severity != want.severity || c.status(left) != want.code || len(left.Fixes) > len(left.Findings) {
			t.Errorf("%q: %s, exit status %d", text, left.Severity, c.status(left))
		}
	}
	if high := (&command{fail: "high"}); high.status(audit.Report{Findings: r.Findings[1:]}) != 0 {
		t.Error("medium is above -fail high")
	}
	if got, want := baseline([]audit.Report{r, r}), "app.service may-gain root\n"; got != want {
		t.Errorf("%q, not %q", got, want)
	}
	for text, status := range map[string]int{"app.service": 64, "app.service rooot": 64} {
		file := filepath.Join(t.TempDir(), "allow")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := readAllowed(file); err == nil || err.status != status {
			t.Errorf("%q: %v", text, err)
		}
	}
}
