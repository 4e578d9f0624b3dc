package remedy

import (
	"path"
	"slices"
	"strings"

	"github.com/lowport/lowport/guard/report"
	"github.com/lowport/lowport/internal/facts"
	"github.com/lowport/lowport/internal/kernel"
)

// stopOwners ends the programs that hold the ports of the goals. If a socket certainly holds one,
// it leaves the sockets that only may hold it: mostly they are connections of the same
// program, which have SO_REUSEADDR too and are not in the way.
func stopOwners(w kernel.World, goals []kernel.Goal) (candidate, bool) {
	e := ending{f: w.Facts, named: map[int]bool{},
		Fix: report.Fix{ID: "stop-owner", Scope: "host", Summary: "stop what holds the port", Lasts: "until it is started again"}}
	for _, g := range goals {
		if g.Refused.Call == "listen" { // the socket that came between the bind and the listen may have gone
			continue
		}
		if !e.holders(g) {
			return candidate{}, false
		}
	}
	if len(e.inodes) > 0 { // at once: the second search would find none of a process that has several
		where, as := whereFound(e.f)
		e.Summary = where + e.Summary
		e.Steps = append(e.Steps, report.Step{Run: sudo(as, "sh", "-c", killHolders(e.inodes, e.signals))})
	}
	if len(e.Steps) == 0 || len(e.inodes) > mostSockets {
		return candidate{}, false
	}
	e.Steps = append(e.Steps, e.keep...)
	socks := e.f.Net.Sockets.Value
	return candidate{Fix: e.Fix, change: func(w kernel.World) kernel.World {
		if w.Holder >= 0 && slices.ContainsFunc(goals, func(g kernel.Goal) bool { return kernel.Conflicts(socks[w.Holder], g) != kernel.No }) {
			w.Holder = kernel.Nobody
		}
		return w
	}}, true
}

// An ending is a fix that is being made, which ends the holders of ports.
type ending struct {
	report.Fix
	f       *facts.Facts
	named   map[int]bool  // the processes that a step ends
	inodes  []uint64      // of the sockets whose processes are to be found
	signals facts.Ends    // how these end
	keep    []report.Step // what keeps the ports free
}

// holders adds what ends the holders of a goal's port. It reports false if one must not be ended.
func (e *ending) holders(g kernel.Goal) bool {
	socks, _ := e.f.Net.Sockets.Is()
	sure := slices.ContainsFunc(socks, func(s facts.Socket) bool { return kernel.Conflicts(s, g) == kernel.Yes })
	found := false
	for _, s := range socks {
		c := kernel.Conflicts(s, g)
		switch {
		case c == kernel.No:
			continue
		case sure && c == kernel.Unknown:
			e.Summary = "stop what holds the port; what it was connected to may hold it for another minute"
			continue
		}
		found = true
		if !e.end(s) {
			return false
		}
	}
	if keep, ok := reserve(e.f, g); ok && found && !sure {
		e.Summary += ", and let no connection leave from it again"
		e.keep = append(e.keep, keep...)
	}
	return true
}

// end adds what ends the holder of one socket.
func (e *ending) end(s facts.Socket) bool {
	if stub(s) {
		e.Summary, e.Lasts = "have systemd-resolved leave the port; whoever asked 127.0.0.53 has to ask another server", "until the file is removed"
	}
	e.say(s)
	if s.PID != 0 && !s.Self && e.named[s.PID] { // ended by another socket of it
		return true
	}
	e.named[s.PID] = true
	more, ok := stop(e.f, s)
	if ok && len(more) == 0 && !slices.Contains(e.inodes, s.Inode) {
		e.inodes = append(e.inodes, s.Inode)
		e.signals.Deaf = e.signals.Deaf || s.Ends.Deaf
		e.signals.Stopped = e.signals.Stopped || s.Ends.Stopped || s.PID == 0 // a hidden one may be
		mayBeRoot := s.UID == 0 || s.UID == facts.OverflowID                  // which a user namespace may have no id for
		if strings.HasPrefix(s.Network, "udp") && mayBeRoot {
			e.Depends = "if a process holds it, and not the kernel for a tunnel"
		}
	}
	for _, step := range more {
		if !slices.Contains(e.Steps, step) {
			e.Steps = append(e.Steps, step)
		}
	}
	return ok
}

// say adds what the end of a holder costs, and on what it depends.
func (e *ending) say(s facts.Socket) {
	unit, managed := unitOf(s.Cgroup)
	left := managed && s.Ends.Unit.Leave()
	_, isUsers := stopByUser(e.f, s)
	if logins(s) && (s.PID == 0 || !left) {
		e.Costs = "nobody can log in by ssh then"
	}
	switch {
	case managed && unit.Name == "docker.service":
		e.Depends = "if a container publishes the port, and it is not Docker's own"
	case isOurs(e.f, s):
		e.Depends, e.Costs = "if an earlier start left it behind", "every process of "+unit.Name+" ends first"
	case inContainer(s.Cgroup):
		e.Costs = "the whole container ends"
	case isUsers, bySupervisor(e.f, s):
	case left && !s.Ends.Unit.Inactive:
		e.Depends = "unless " + unit.Name + " starts it again"
	case managed && !left && s.Ends.Supervisor.Kind != "":
		e.Costs = "all that " + unit.Name + " supervises ends"
	case managed && !left:
	case s.Ends.First:
		e.Costs = "all of its pid namespace ends"
	case s.Ends.Deaf:
		e.Costs = "at once, since SIGTERM does not end it"
	case s.PID == 0 && !left:
		e.Depends = "unless it ignores SIGTERM, or is started again at once"
	}
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
	byUser, isUsers := stopByUser(f, s)
	switch {
	case s.Self, startedUs(f, s):
		return nil, false
	case isUsers && !isOurs(f, s):
		return byUser, true
	case isOurs(f, s): // what an earlier start of it left (KillMode=)
		return []report.Step{{Run: Systemctl(Bare(f), unit, "kill")}, {Run: Systemctl(Bare(f), unit, "restart")}}, true
	case managed && strings.HasSuffix(unit.Name, ".socket"): // systemd holds it, and passes it to a service
		return []report.Step{{Run: Systemctl(Bare(f), unit, "stop") + " $(" + Systemctl(true, unit, "show", "-p", "Triggers", "--value") + ")"}}, true
	case path.Base(s.Cgroup) == "init.scope", slices.Contains(holders, 1): // of a container
		return nil, false
	case managed && unit.Name == "docker.service": // which publishes the port for a container
		return []report.Step{{Run: sudo(f, "sh", "-c", "docker stop $(docker ps -q --filter publish="+published(s)+")")}}, true
	case inContainer(s.Cgroup):
		return stopContainer(f, s)
	case bySupervisor(f, s):
		return []report.Step{{Run: stopSupervised(f, s.Ends.Supervisor)}}, true
	case stub(s):
		return []report.Step{
			{Write: "/etc/systemd/resolved.conf.d/zz-lowport.conf", Content: "[Resolve]\nDNSStubListener=no\n"},
			{Run: Systemctl(Bare(f), unit, "restart")},
		}, true
	case managed && !s.Ends.Unit.Leave():
		return []report.Step{{Run: Systemctl(Bare(f), unit, "stop")}}, true
	case s.PID == 0 && Root(f) && f.Launcher.Operator.Value.SamePID && !ownPIDs(f): // root sees all: it is the kernel's, as of a tunnel
		return nil, false
	case s.PID != 0 && countsAlike(f):
		return kill(f, s, holders), true
	case s.Inode != 0:
		return nil, true
	default: // of the kernel, or a connection that waits
		return nil, false
	}
}

// isOurs reports whether a socket belongs to the unit that runs this process.
func isOurs(f *facts.Facts, s facts.Socket) bool {
	unit, managed := unitOf(s.Cgroup)
	ours := f.Launcher.Unit.Value
	uid, _ := managerOf(s.Cgroup)
	return managed && unit.Name == ours.Name && unit.User == ours.User && (!unit.User || uid == f.Proc.IDs.Value.UID)
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
	if n := len(parts) - 1; strings.HasPrefix(parts[n], "libpod-payload-") { // of a Quadlet unit
		parts = parts[:n]
	}
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
