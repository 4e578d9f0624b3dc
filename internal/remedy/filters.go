package remedy

import (
	"slices"

	"github.com/lowport/lowport/internal/facts"
	"github.com/lowport/lowport/internal/kernel"
)

// allow makes the unit's own filters allow the bind, with lines that add to those of the unit.
// In a unit without filters the same lines would refuse everything else.
func allow(w kernel.World, g kernel.Goal) (candidate, bool) {
	f := w.Facts
	u, okUnit := f.Launcher.Unit.Is()
	lines := allowing(w, g)
	if !okUnit || u.User || len(lines) == 0 {
		return candidate{}, false
	}
	fix, ok := settings(f, u, lines...)
	return candidate{Fix: fix, change: unfiltered}, ok
}

// allowing returns the lines that make the unit's filters allow the bind, none if something
// else refuses it.
func allowing(w kernel.World, g kernel.Goal) (lines []string) {
	f := w.Facts
	has := func(key string) bool { return slices.Contains(f.Launcher.UnitFilters.Value, key) }
	if g.Network == "" || f.Proc.Seccomp.Value != 2 {
		return nil
	}
	if has("RestrictAddressFamilies") && kernel.SocketErrno(f, g) == "EAFNOSUPPORT" && (g.Protocol()+"6" != g.Network || hasIPv6(f)) {
		lines = append(lines, "RestrictAddressFamilies=AF_INET AF_INET6")
	}
	if has("SystemCallFilter") && filtersCall(w) {
		lines = append(lines, "SystemCallFilter=@network-io")
	}
	return lines
}

// filtersCall reports whether a filter refuses a system call of the bind: a probe shows it for
// socket and bind, the story of the world for listen.
func filtersCall(w kernel.World) bool {
	return w.Unseen == "listen" || w.Unseen == "setup" || w.Facts.Launch.Listen != "" ||
		slices.ContainsFunc(w.Facts.Policy.Probes.Value, byFilter)
}

// byFilter reports whether a filter may have refused the probe.
func byFilter(p facts.Probe) bool { return p.Refused() && p.By != facts.ByKernel }

// hasIPv6 reports whether the kernel has IPv6, also if a filter hides it.
func hasIPv6(f *facts.Facts) bool { return f.Net.NoLoop6.State == facts.Known }

// unfiltered returns the world in which the unit's filters allow the bind.
func unfiltered(w kernel.World) kernel.World {
	if w.Unseen == "listen" || w.Unseen == "setup" {
		w.Unseen = ""
	}
	return w.With(func(f *facts.Facts) {
		f.Launch.Listen = ""
		f.Policy.Probes.Value = slices.Clone(f.Policy.Probes.Value)
		for i, p := range f.Policy.Probes.Value {
			if byFilter(p) || p.Errno == "EAFNOSUPPORT" {
				f.Policy.Probes.Value[i].Errno = ""
			}
		}
	})
}
