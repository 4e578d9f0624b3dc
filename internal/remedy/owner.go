package remedy

import (
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/lowport/lowport/guard/report"
	"github.com/lowport/lowport/internal/facts"
	"github.com/lowport/lowport/internal/kernel"
)

// stopOwner ends the program that holds the port. If one socket certainly holds
// it, those that only may are mostly connections of its program, which have its
// SO_REUSEADDR and are not in the way.
func stopOwner(w kernel.World, g kernel.Goal) (candidate, bool) {
	f := w.Facts
	socks, _ := f.Net.Sockets.Is()
	sure := slices.ContainsFunc(socks, func(s facts.Socket) bool { return kernel.Conflicts(s, g) == kernel.Yes })
	summary, lasts := "stop what holds the port", "until it is started again"
	var steps []report.Step
	for _, s := range socks {
		c := kernel.Conflicts(s, g)
		if c == kernel.No {
			continue
		}
		if sure && c == kernel.Unknown {
			summary = "stop what holds the port; what it was connected to may hold it for another minute"
			continue
		}
		if stub(s) {
			summary, lasts = "have systemd-resolved leave the port; whoever asked 127.0.0.53 has to ask another server", "until the file is removed"
		}
		more, ok := stop(f, s)
		if !ok {
			return candidate{}, false
		}
		for _, step := range more {
			if !slices.Contains(steps, step) {
				steps = append(steps, step)
			}
		}
	}
	if len(steps) == 0 {
		return candidate{}, false
	}
	return candidate{
		Fix: report.Fix{ID: "stop-owner", Scope: "host", Summary: summary, Lasts: lasts, Steps: steps},
		change: func(w kernel.World) kernel.World {
			if w.Holder >= 0 && kernel.Conflicts(socks[w.Holder], g) != kernel.No {
				w.Holder = kernel.Nobody
			}
			return w
		},
	}, true
}

// stub says whether systemd-resolved has the socket for programs that ask for names by
// DNS, and can do without it: the rest of the machine asks it otherwise. Those of
// DNSStubListenerExtra= are not of that setting (resolved.conf(5)).
func stub(s facts.Socket) bool {
	at := s.Addr.String()
	return path.Base(s.Cgroup) == "systemd-resolved.service" && (at == "127.0.0.53:53" || at == "127.0.0.54:53")
}

func stop(f *facts.Facts, s facts.Socket) ([]report.Step, bool) {
	ids, okIDs := f.Proc.IDs.Is()
	unit := path.Base(s.Cgroup)
	switch {
	case s.Self, s.PID == 1, strings.HasSuffix(unit, ".socket"): // systemd holds it for a .socket unit
		return nil, false
	case stub(s):
		return []report.Step{
			{Write: "/etc/systemd/resolved.conf.d/zz-lowport.conf", Content: "[Resolve]\nDNSStubListener=no\n"},
			{Run: Systemctl(Root(f), facts.Unit{Name: unit}, "restart")},
		}, true
	case facts.UnitName(unit) && strings.HasPrefix(s.Cgroup, "/system.slice/"):
		return []report.Step{{Run: Systemctl(Root(f), facts.Unit{Name: unit}, "stop")}}, true
	case s.PID != 0 && okIDs && ids.EUID == s.UID:
		return []report.Step{{Run: Command("kill", strconv.Itoa(s.PID))}}, true
	case s.PID != 0:
		return []report.Step{{Run: sudo(f, "kill", strconv.Itoa(s.PID))}}, true
	default:
		return nil, false
	}
}
