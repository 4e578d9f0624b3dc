package kernel

import (
	"net"
	"strings"
	"syscall"
	"testing"

	"github.com/lowport/lowport/guard/report"
	"github.com/lowport/lowport/internal/facts"
)

// A snap is told by snapd's profile, and is never proven to be what refused.
func TestSnap(t *testing.T) {
	for _, tt := range []struct {
		label   string
		seccomp int
		want    string // "" for no word of snaps
	}{
		{"snap.web.server (enforce)", 2, "`snap connect web:network-bind`"},
		{"snap.web_1.server (enforce)", 2, "`snap connect web_1:network-bind`"},
		{"snap.web.server (enforce)", 0, "`snap connect web:network-bind`"},
		{"snap.web;reboot.server (enforce)", 2, ""},
		{"/snap.web.server (enforce)", 2, ""},
		{"unconfined", 2, ""},
	} {
		f := machines(t)["policy"].record.Facts()
		f.Policy.Enforcing, f.Policy.Label, f.Proc.Seccomp = f.Policy.Enforcing.None(), f.Policy.Label.Now(tt.label), f.Proc.Seccomp.Now(tt.seccomp)
		errno := map[bool]string{true: "EPERM"}[tt.seccomp == 2]
		f.Policy.Probes = f.Policy.Probes.Now([]facts.Probe{{Network: "tcp4", Errno: errno}, {Network: "udp4", Errno: errno}})
		c := bindRefused(f, Goal{Network: "tcp", Port: 443, Raises: true}, &net.OpError{Op: "listen", Err: syscall.EPERM}).Causes[0]
		if c.Certainty == report.Proven || !strings.Contains(c.Detail, tt.want) || strings.Contains(c.Detail, "snap connect") != (tt.want != "") || strings.ContainsAny(c.Detail, "{}") {
			t.Errorf("%+v: %+v", tt, c)
		}
	}
}
