package remedy

import (
	"net"
	"net/netip"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/guard/report"
	"github.com/lowport/lowport/internal/facts"
	"github.com/lowport/lowport/internal/kernel"
)

const longestUnitName = 255 // UNIT_NAME_MAX, and NAME_MAX of a drop-in

// socketUnits makes systemd bind the addresses and pass the sockets to the unit, whose program
// then needs no capability. systemd passes them to its own child alone, so not to a program
// that a wrapper of the unit starts (sd_listen_fds(3)). It does not apply under SELinux, whose
// policy may keep systemd from the port.
func socketUnits(w kernel.World, goals []kernel.Goal) (candidate, bool) {
	f := w.Facts
	u, okUnit := f.Launcher.Unit.Is()
	parent, okParent := f.Proc.Parent.Is()
	manager, okManager := f.Launcher.Init.Is()
	base, service := strings.CutSuffix(u.Name, ".service")
	if !okUnit || u.User || u.Transient || !service || !f.Launch.Planned && !unitUser(f) || !okParent || parent != 1 ||
		!okManager || !manager.Effective.Has(caps.NET_BIND_SERVICE) || f.Policy.Enforcing.Value {
		return candidate{}, false
	}
	if !w.Counts && !privateUsers(f) || apart(f) && privileged(f) {
		return candidate{}, false
	}
	network, ok := networkOf(f)
	if !ok {
		return candidate{}, false
	}
	var writes, starts []report.Step
	for _, g := range goals {
		if s, ok := stopped(f, g); ok {
			if start := (report.Step{Run: Systemctl(Bare(f), facts.Unit{Name: s}, "start")}); !slices.Contains(starts, start) {
				starts = append(starts, start)
			}
			continue
		}
		name := base + "-" + g.Network
		if g.Addr.IsValid() {
			name += "-" + g.Addr.String()
		}
		name += "-" + strconv.Itoa(g.Port) + ".socket"
		if g.Network == "" || !g.Inherit || g.Addr.Zone() != "" || len(name) > longestUnitName {
			return candidate{}, false
		}
		writes = append(writes, report.Step{Write: "/etc/systemd/system/" + name, Content: socketFile(g, u.Name, network)})
		starts = append(starts, report.Step{Run: Systemctl(Bare(f), facts.Unit{Name: name}, "enable", "--now")})
	}
	lasts := "until reboot, or for good if the socket unit is enabled"
	if len(writes) > 0 {
		lasts = "until the socket unit is disabled"
		writes = append(writes, report.Step{Run: sudo(f, "systemctl", "daemon-reload")})
	}
	steps := append(writes, report.Step{Run: Systemctl(Bare(f), u, "stop")})
	steps = append(append(steps, starts...), restartUnit(f, u))
	return candidate{
		Fix: report.Fix{ID: "systemd-socket", Scope: "unit", Summary: "by systemd, so that " + u.Name + " needs no capability", Lasts: lasts, Steps: steps},
		change: func(w kernel.World) kernel.World {
			w.PortStart = 0 // for systemd, whose bind it is
			w.Local = w.Local || freeBound(goals)
			return w.Start()
		},
	}, true
}

// privileged reports whether the file may give its program more than its starter has. Such a
// program takes no socket of another network namespace.
func privileged(f *facts.Facts) bool {
	file, stat := f.File.Installed.Caps.Value, f.File.Installed.Stat.Value
	return file.Permitted|file.Inheritable != 0 || stat.Setid()
}

// stopped names an existing .socket unit that is not started and would pass the unit what the
// goal asks for.
func stopped(f *facts.Facts, g kernel.Goal) (name string, ok bool) {
	for _, s := range f.Launcher.Stopped.Value {
		started := slices.ContainsFunc(f.Net.Sockets.Value, func(is facts.Socket) bool { return path.Base(is.Cgroup) == s.Name })
		if g.Inherit && passes(s, g) && !started && isSocketUnit(s.Name) {
			return s.Name, true
		}
	}
	return "", false
}

// passes reports whether a listener is exactly what the goal asks for.
func passes(s facts.SocketUnit, g kernel.Goal) bool {
	at := s.Addr.Addr()
	switch {
	case int(s.Addr.Port()) != g.Port, !strings.HasPrefix(s.Network, g.Protocol()):
		return false
	case g.Addr.IsValid() && !g.Addr.IsUnspecified():
		return at == g.Addr.Unmap()
	case g.Network == g.Protocol()+"4":
		return at == netip.IPv4Unspecified()
	}
	return at == netip.IPv6Unspecified() && s.Both == (g.Network == g.Protocol())
}

// freeBound reports whether the sockets of all goals are bound with FreeBind=, before their
// addresses are there.
func freeBound(goals []kernel.Goal) bool {
	return !slices.ContainsFunc(goals, func(g kernel.Goal) bool { return !kernel.Fit(g) || !g.Addr.IsValid() || g.Addr.IsUnspecified() })
}

// networkOf returns the line that makes systemd bind in the service's network namespace, if that
// has a name. Nobody could reach a socket in one without a name, as PrivateNetwork= makes:
// there systemd binds in the machine's.
func networkOf(f *facts.Facts) (line string, ok bool) {
	if !apart(f) || f.Net.Name.State == facts.Absent {
		return "", true
	}
	name, known := f.Net.Name.Is()
	return "NetworkNamespacePath=/run/netns/" + name + "\n", known && isPlainName(name)
}

// isPlainName reports whether a name is of letters, digits, "_", "." and "-", and neither
// hidden nor like an option.
func isPlainName(name string) bool {
	other := func(c rune) bool {
		return !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.ContainsRune("_.-", c))
	}
	return name != "" && name[0] != '.' && name[0] != '-' && !strings.ContainsFunc(name, other)
}

// socketFile returns the text of a .socket unit with one socket (systemd.socket(5)).
func socketFile(g kernel.Goal, service, network string) string {
	listen := map[string]string{"tcp": "ListenStream=", "udp": "ListenDatagram="}[g.Protocol()]
	port := strconv.Itoa(g.Port)
	switch {
	case g.Addr.IsValid() && !g.Addr.IsUnspecified():
		listen += net.JoinHostPort(g.Addr.Unmap().String(), port) + "\nFreeBind=yes" // it need not be up yet
	case g.Network == g.Protocol()+"4":
		listen += "0.0.0.0:" + port
	case g.Network == g.Protocol()+"6":
		listen += "[::]:" + port + "\nBindIPv6Only=ipv6-only"
	default:
		listen += port + "\nBindIPv6Only=both"
	}
	return "[Socket]\n" + listen + "\n" + network + "Service=" + service + "\n\n[Install]\nWantedBy=sockets.target\n"
}
