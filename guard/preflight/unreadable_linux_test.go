package preflight

import (
	"errors"
	"io/fs"
	"net/netip"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/lowport/lowport/guard/report"
	"github.com/lowport/lowport/internal/ask"
	"github.com/lowport/lowport/internal/facts"
	"github.com/lowport/lowport/internal/kernel"
	"github.com/lowport/lowport/internal/program"
	"github.com/lowport/lowport/privport"
)

// What this process may not read says nothing of a start by another user. What that user may not
// execute does.
func TestUnreadable(t *testing.T) {
	for _, tt := range []struct {
		name string
		mine bool
		err  error
		want bool
	}{
		{"another opens", false, &fs.PathError{Op: "open", Err: syscall.EACCES}, true},
		{"this process opens", true, &fs.PathError{Op: "open", Err: syscall.EACCES}, false},
		{"nobody executes", false, &fs.PathError{Op: "exec", Err: syscall.EACCES}, false},
		{"it is not there", false, &fs.PathError{Op: "open", Err: syscall.ENOENT}, false},
	} {
		err := starter{mine: tt.mine}.unseen(tt.err)
		if got := errors.As(err, new(*unreadable)); got != tt.want || !errors.Is(err, tt.err) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

// A unit that may not be read is no unit that is not started.
func TestUnreadableUnit(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("root reads everything")
	}
	file := t.TempDir() + "/app.service"
	if err := os.WriteFile(file, []byte("[Service]\nExecStart=/bin/true\n"), 0o200); err != nil {
		t.Fatal(err)
	}
	_, err := Bind(Launch{Unit: file}, ":443")
	var refused *report.Error
	if !errors.As(err, &refused) || refused.ExitCode() != 77 || !strings.Contains(refused.Report.Causes[0].Detail, "open "+file) {
		t.Errorf("%+v", err)
	}
}

// Where the unit's own socket has the port and another address, its line is to be changed. If
// somebody else has the port as well, that does not help.
func TestUnfit(t *testing.T) {
	one := netip.MustParseAddrPort("127.0.0.1:443")
	own := facts.Socket{Network: "tcp", Addr: one, Listen: true, PID: 1, Cgroup: "/system.slice/app.socket"}
	other := facts.Socket{Network: "tcp", Addr: netip.MustParseAddrPort("0.0.0.0:443"), Listen: true, PID: 7}
	for _, tt := range []struct {
		name     string
		inherits bool
		sockets  []facts.Socket
		err      error
		want     string
	}{
		{"its own", true, []facts.Socket{own}, syscall.EADDRINUSE, "socket-line"},
		{"another one too", true, []facts.Socket{own, other}, syscall.EADDRINUSE, "stop-owner"},
		{"a program that takes none", false, []facts.Socket{own}, syscall.EADDRINUSE, "stop-owner"},
		{"another refusal", true, []facts.Socket{own}, syscall.EACCES, "stop-owner"},
	} {
		p := plan{inherits: program.Answer[bool]{Value: tt.inherits}, offers: []privport.Offer{{Name: "app.socket", Network: "tcp4", Addr: one}}}
		p.facts.Net.Sockets = facts.Fact[[]facts.Socket]{Value: tt.sockets, State: facts.Known}
		r := report.Report{Fixes: []report.Fix{{ID: "stop-owner"}}}
		p.unfit(&r, []ask.Request{{Network: "tcp", Address: ":443", Goal: kernel.Goal{Network: "tcp", Port: 443}, Err: tt.err}})
		if len(r.Fixes) != 1 || r.Fixes[0].ID != tt.want || (len(p.notes) > 0) != (tt.want == "socket-line") {
			t.Errorf("%s: %+v, %q", tt.name, r.Fixes, p.notes)
		}
	}
}
