package remedy

import (
	"slices"

	"github.com/lowport/lowport/internal/facts"
	"github.com/lowport/lowport/internal/kernel"
)

// allow has the unit's own filters let the bind through, by lines that add to those which
// the unit has. Where it has none, the same lines would refuse all else.
func allow(w kernel.World, g kernel.Goal) (candidate, bool) {
	f := w.Facts
	u, okUnit := f.Launcher.Unit.Is()
	lines := allowing(w, g)
	if !okUnit || u.User || len(lines) == 0 {
		return candidate{}, false
	}
	return candidate{Fix: settings(f, u, lines...), change: unfiltered}, true
}

// allowing are the lines with which the unit's filters let the bind through, none where it
// is not they that refuse it.
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

// filtersCall reports whether a filter refuses a system call of the bind: a probe shows that
// of the first, and what refuses listen the refusal.
func filtersCall(w kernel.World) bool {
	return w.Unseen == "listen" || w.Facts.Launch.Listen != "" ||
		slices.ContainsFunc(w.Facts.Policy.Probes.Value, byFilter)
}

func byFilter(p facts.Probe) bool { return p.Refused() && p.By != facts.ByKernel }

// hasIPv6 reports whether the kernel has the family, which a filter then hides.
func hasIPv6(f *facts.Facts) bool { return f.Net.NoLoop6.State == facts.Known }

// unfiltered is the world in which the unit's filters let the bind through.
func unfiltered(w kernel.World) kernel.World {
	if w.Unseen == "listen" {
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
