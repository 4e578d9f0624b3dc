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

// stopOwner ends the program that holds the port. If a socket certainly holds it, stopOwner
// leaves the sockets that only may hold it: mostly they are connections of the same program,
// which have SO_REUSEADDR too and are not in the way.
func stopOwner(w kernel.World, g kernel.Goal) (candidate, bool) {
	f := w.Facts
	if g.Refused.Call == "listen" { // the socket that came between the bind and the listen may have gone
		return candidate{}, false
	}
	socks, _ := f.Net.Sockets.Is()
	sure := slices.ContainsFunc(socks, func(s facts.Socket) bool { return kernel.Conflicts(s, g) == kernel.Yes })
	summary, lasts, depends, costs := "stop what holds the port", "until it is started again", "", ""
	var steps []report.Step
	var inodes []uint64
	named := map[int]bool{}
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
		if logins(s) {
			costs = "nobody can log in by ssh then"
		}
		if s.PID != 0 && !s.Self && named[s.PID] { // ended by another socket of it
			continue
		}
		named[s.PID] = true
		more, ok := stop(f, s)
		if !ok {
			return candidate{}, false
		}
		if len(more) == 0 {
			inodes = append(inodes, s.Inode)
			mayBeRoot := s.UID == 0 || s.UID == facts.OverflowID // which a user namespace may have no id for
			if strings.HasPrefix(s.Network, "udp") && mayBeRoot {
				depends = "if a process holds it, and not the kernel for a tunnel"
			}
		}
		for _, step := range more {
			if !slices.Contains(steps, step) {
				steps = append(steps, step)
			}
		}
	}
	if len(inodes) > 0 { // at once: the second search would find none of a process that has several
		steps = append(steps, report.Step{Run: sudo(f, "sh", "-c", killHolders(inodes))})
	}
	if len(steps) == 0 || len(inodes) > mostSockets {
		return candidate{}, false
	}
	if keep, ok := reserve(f, g); ok && !sure {
		summary += ", and let no connection leave from it again"
		steps = append(steps, keep...)
	}
	return candidate{
		Fix: report.Fix{ID: "stop-owner", Scope: "host", Summary: summary, Lasts: lasts, Depends: depends, Costs: costs, Steps: steps},
		change: func(w kernel.World) kernel.World {
			if w.Holder >= 0 && kernel.Conflicts(socks[w.Holder], g) != kernel.No {
				w.Holder = kernel.Nobody
			}
			return w
		},
	}, true
}

// stub reports whether the socket is one of systemd-resolved that DNSStubListener=no closes
// (resolved.conf(5)). systemd-resolved can do without it: it serves only programs that ask
// for names by DNS. Sockets of DNSStubListenerExtra= do not depend on that setting.
func stub(s facts.Socket) bool {
	at := s.Addr.String()
	return path.Base(s.Cgroup) == "systemd-resolved.service" && (at == "127.0.0.53:53" || at == "127.0.0.54:53")
}

// mostSockets bounds the sockets in one command, so that it can still be read.
const mostSockets = 16

// stop returns the steps that end the holders of a socket. No steps and true say that killHolders
// has to find them by the socket. It reports false if they must not be ended, such as this
// process or whoever started it or handed it the socket, or cannot be.
func stop(f *facts.Facts, s facts.Socket) ([]report.Step, bool) {
	unit, managed := unitOf(s.Cgroup)
	holders := append([]int{s.PID}, s.Also...)
	switch {
	case s.Self, startedUs(f, s):
		return nil, false
	case unit.User && unit.Name != "" && f.Launcher.Operator.Value.UID != s.UID, managed && unit.Name == f.Launcher.Unit.Value.Name:
		return nil, false // another user's manager; our own unit
	case managed && strings.HasSuffix(unit.Name, ".socket"): // systemd holds it, and passes it to a service
		return []report.Step{{Run: Systemctl(Root(f), unit, "stop") + " $(" + Systemctl(true, unit, "show", "-p", "Triggers", "--value") + ")"}}, true
	case path.Base(s.Cgroup) == "init.scope", slices.Contains(holders, 1), managed && unit.Name == "docker.service": // of a container
		return nil, false
	case stub(s):
		return []report.Step{
			{Write: "/etc/systemd/resolved.conf.d/zz-lowport.conf", Content: "[Resolve]\nDNSStubListener=no\n"},
			{Run: Systemctl(Root(f), unit, "restart")},
		}, true
	case managed:
		return []report.Step{{Run: Systemctl(Root(f), unit, "stop")}}, true
	case s.PID == 0 && Root(f) && f.Launcher.Operator.Value.SamePID: // root sees all: it is the kernel's, as of a tunnel
		return nil, false
	case s.PID != 0 && countsAlike(f):
		return []report.Step{{Run: kill(f, s.UID, holders)}}, true
	case s.Inode != 0:
		return nil, true
	default: // of the kernel, or a connection that waits
		return nil, false
	}
}

// startedUs reports whether an ancestor of ours holds the socket, or may hold it: if the holder is
// hidden, an ancestor of the same user may. stop has its own rules for process 1.
func startedUs(f *facts.Facts, s facts.Socket) bool {
	return slices.ContainsFunc(f.Launcher.Line.Value, func(p facts.Forebear) bool {
		holds := p.PID == s.PID || slices.Contains(s.Also, p.PID)
		return p.PID > 1 && (holds || s.PID == 0 && s.Inode != 0 && p.UID == s.UID && !p.Launches && !p.Shown)
	}) || s.PID > 1 && s.PID == f.Proc.Parent.Value
}

// unitOf returns the systemd unit, a service or a socket, that a cgroup belongs to. All folders
// above it have to be slices, which excludes containers. A user's manager is itself a
// service of the system manager.
func unitOf(cgroup string) (u facts.Unit, ok bool) {
	parts := strings.Split(strings.TrimPrefix(cgroup, "/"), "/")
	for i, part := range parts {
		last := i == len(parts)-1
		switch {
		case strings.HasPrefix(part, "user@") && facts.UnitName(part) && !last && !u.User:
			u.User = true
		case !last && !strings.HasSuffix(part, ".slice"):
			return facts.Unit{}, false
		case last && (facts.UnitName(part) || isSocketUnit(part)):
			u.Name = part
		}
	}
	return u, u.Name != "" && len(parts) > 1
}

// logins reports whether the holder of a socket is what people log in through.
func logins(s facts.Socket) bool {
	name, _, _ := strings.Cut(path.Base(s.Cgroup), ".")
	return s.Command == "sshd" || slices.Contains([]string{"ssh", "sshd", "dropbear"}, name)
}

// isSocketUnit reports whether a name is that of a socket unit, as facts.UnitName does of a
// service.
func isSocketUnit(name string) bool {
	id, ok := strings.CutSuffix(name, ".socket")
	return ok && facts.UnitName(id+".service")
}

// countsAlike reports whether the operator numbers processes as this process does. If no operator
// can be read, it does if the parent has a number here.
func countsAlike(f *facts.Facts) bool {
	o := f.Launcher.Operator
	parent, known := f.Proc.Parent.Is()
	return o.Value.SamePID || o.State == facts.Unreadable && known && parent != 0
}

// kill returns the command that ends processes by their ids, see countsAlike. The operator needs
// no privilege for processes of the same user.
func kill(f *facts.Facts, uid uint32, pids []int) string {
	words := []string{"kill"}
	for _, pid := range pids {
		words = append(words, strconv.Itoa(pid))
	}
	if ids, known := f.Proc.IDs.Is(); known && ids.UID == uid && f.Launcher.Operator.Value.UID == uid {
		return Command(words...)
	}
	return sudo(f, words...)
}

// killHolders returns a script that ends every process that has one of the sockets, except
// process 1. Root can read the descriptors of each process, whatever its user and its pid
// namespace.
func killHolders(inodes []uint64) string {
	var names []string
	for _, inode := range inodes {
		names = append(names, `-lname "socket:[[]`+strconv.FormatUint(inode, 10)+`]"`)
	}
	return "kill $(find /proc/[0-9]*/fd " + strings.Join(names, " -o ") + " | cut -d/ -f3 | grep -vx 1 | sort -u)"
}
