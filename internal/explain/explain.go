package explain

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"path"
	"slices"
	"strings"
	"syscall"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/guard/report"
	"github.com/lowport/lowport/internal/facts"
	"github.com/lowport/lowport/internal/rules"
	"github.com/lowport/lowport/internal/term"
	"github.com/lowport/lowport/privport"
)

// Bind explains why the bind of goal g failed with err.
func Bind(f facts.Facts, g rules.Goal, err error) Finding {
	l := &look{f: f, g: g, err: err, summary: map[string]string{}, detail: map[string]string{}}
	why := map[string]string{}
	var errno syscall.Errno
	var dns *net.DNSError
	var causes []report.Cause
	if !errors.As(err, &errno) {
		c := report.Cause{ID: "address-invalid", Certainty: report.Proven}
		if g.Port != 0 && errors.As(err, &dns) {
			c.ID = "host-unresolved" // the address is well formed
			if !dns.IsNotFound {     // who could tell did not
				c.Certainty = report.Likely
			}
		}
		why["{why}"] = invalid(err)
		return l.finding([]report.Cause{c}, why)
	}
	if missing := rules.Missing(f); missing != 0 {
		return l.finding(l.notExecuted(missing, why), why)
	}
	switch errno {
	case syscall.EACCES:
		causes = l.refused()
		if c := l.taken(why); c != "" { // EACCES hides it
			causes = append(causes, report.Cause{ID: "address-in-use", Certainty: c})
		}
		if w := unfit(g); w != "" {
			why["{why}"], l.detail["address-invalid"] = w, unfitDetail
			causes = append(causes, report.Cause{ID: "address-invalid", Certainty: report.Proven})
		} else if id := l.absent(); id != "" {
			causes = append(causes, report.Cause{ID: id, Certainty: report.Likely}) // a local route is not seen
		}
		var authbind *privport.AuthbindError
		if errors.As(err, &authbind) {
			why["{why}"] = term.Show(authbind.Why)
			causes = append(causes, report.Cause{ID: "authbind-refused", Certainty: report.Proven})
		}
	case syscall.EADDRINUSE:
		causes = []report.Cause{{ID: "address-in-use", Certainty: report.Likely}}
		if c := l.taken(why); c != "" {
			causes[0].Certainty = c
		}
	case syscall.EADDRNOTAVAIL:
		causes = []report.Cause{{ID: "address-unavailable", Certainty: report.Likely}}
		if id := l.absent(); id != "" {
			causes = []report.Cause{{ID: id, Certainty: report.Proven}}
		}
	case syscall.EAFNOSUPPORT:
		causes = []report.Cause{l.hidden("family-unavailable",
			"a filter hides it, as systemd's RestrictAddressFamilies= does, or the kernel has no such family",
			"no filter hides it: the kernel has no such family, as IPv6 after ipv6.disable=1")}
	case syscall.EINVAL:
		causes = []report.Cause{{ID: "address-invalid", Certainty: report.Proven}}
		l.detail["address-invalid"] = unfitDetail
		if why["{why}"] = unfit(g); why["{why}"] == "" {
			why["{why}"] = "the kernel accepts no listener on this address"
			causes[0].Certainty = report.Likely
		}
	case syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM:
		causes = []report.Cause{{ID: "resource-limit", Certainty: report.Likely}} // a filter can answer any errno
	case syscall.EPERM:
		causes = l.policy()
		causes = append(causes, l.behind(causes)...)
		if c := l.taken(why); c != "" {
			causes = append(causes, report.Cause{ID: "address-in-use", Certainty: c})
		}
	case syscall.EPROTONOSUPPORT:
		causes = []report.Cause{l.hidden("protocol-unavailable",
			"a filter hides it, or the kernel was built without it",
			"no filter hides it: the kernel was built without it")}
	default:
		causes = []report.Cause{l.guess("unknown")}
	}
	return l.finding(causes, why)
}

// Require explains why the capabilities of goal g do not hold.
func Require(f facts.Facts, g rules.Goal) Finding {
	l := &look{f: f, g: g, summary: map[string]string{}, detail: map[string]string{}}
	if missing := rules.Missing(f); missing != 0 {
		return l.finding(l.notExecuted(missing, nil), nil)
	}
	found := l.finding(l.lacking(), nil)
	if p := purpose(g.Require); p != "" {
		found.Causes[0].Detail += "; " + p
	}
	return found
}

// finding gives the causes their words.
func (l *look) finding(causes []report.Cause, why map[string]string) Finding {
	found := Finding{Evidence: l.seen}
	switch causes[0].ID {
	case "threads-differ", "let-go", // the program did it itself, and would again
		"unknown", "landlock", "seccomp", "selinux", "bpf-or-policy",
		"address-invalid", "host-unresolved", "family-unavailable", "protocol-unavailable", "resource-limit":
	default:
		found.Explained = true
	}
	for _, c := range causes {
		e := catalogue[c.ID]
		fill := words(l.f, l.g, l.about(c.ID))
		c.Summary, c.Detail = fill.Replace(e.summary), fill.Replace(e.detail)
		if s := l.summary[c.ID]; s != "" {
			c.Summary = s
		}
		if d := l.detail[c.ID]; d != "" {
			c.Detail = d
		}
		for k, v := range why {
			c.Summary = strings.ReplaceAll(c.Summary, k, v)
		}
		found.Causes = append(found.Causes, c)
		if c.ID == "bounding-excludes" && causes[0].ID == "exec-refused" {
			continue // setcap is a part of what helps, and the rest is said already
		}
		if c.Certainty == report.Possible {
			continue // what it makes useless is as uncertain
		}
		for _, u := range e.unhelpful {
			found.Unhelpful = append(found.Unhelpful, fill.Replace(u))
		}
	}
	if l.apart {
		found.Unhelpful = append(found.Unhelpful, "ip_unprivileged_port_start of the host: this network namespace has its own")
	}
	return found
}

// about says which of the needed capabilities a cause is about.
func (l *look) about(cause string) caps.Set {
	need, held := l.g.Need(), l.f.Proc.Thread.Value
	part := need
	switch cause {
	case "foreign-user-namespace":
		part &= rules.Network
	case "initial-user-namespace":
		part &= rules.Initial
	case "bounding-excludes":
		part &^= held.Bounding
	case "exec-refused":
		return rules.Missing(l.f)
	case "file-caps-partial":
		part &^= l.f.File.Exe.Caps.Value.Permitted
	case "no-capability":
		part &^= held.Permitted
	case "not-raised":
		part &^= held.Effective
	}
	if part == 0 {
		return need
	}
	return part
}

const unfitDetail = "IPv6 accepts no multicast address for a TCP socket, and a link-local one only with its interface"

// unfit words why no socket can have the address, "" if one can.
func unfit(g rules.Goal) string {
	a := g.Addr
	switch {
	case rules.Fit(g):
		return ""
	case a.IsMulticast():
		return a.String() + " is a multicast address, which no TCP listener can have"
	default:
		return a.String() + " is link-local and lacks its zone, the name of an interface: " + a.String() + "%eth0"
	}
}

// invalid words an error that never reached the kernel.
func invalid(err error) string {
	var addr *net.AddrError
	var dns *net.DNSError
	switch {
	case errors.As(err, &addr):
		return term.Show(addr.Addr) + ": " + addr.Err
	case errors.As(err, &dns):
		return term.Show(dns.Name) + ": " + dns.Err
	}
	var op *net.OpError
	if errors.As(err, &op) {
		return term.Show(op.Err.Error())
	}
	return term.Show(err.Error())
}

// behind finds why the port check would refuse a bind that a policy let through.
func (l *look) behind(first []report.Cause) []report.Cause {
	if rules.Or(rules.Unprivileged(l.f, l.g.Port), rules.And(rules.Permitted(l.f, l.g.Need()), rules.Counts(l.f, l.g.Need()))) != rules.No {
		return nil
	}
	return slices.DeleteFunc(l.refused(), func(c report.Cause) bool {
		return slices.ContainsFunc(first, func(f report.Cause) bool { return f.ID == c.ID })
	})
}

// taken looks for a socket that holds the port, and says whose in why. It
// returns how certain that is, "" where it saw none.
func (l *look) taken(why map[string]string) string {
	why["{owner}"] = "a socket that cannot be seen from here"
	if l.g.Network == "" {
		return ""
	}
	unsure := l.unsure // whether the port is free bears on no other cause
	defer func() { l.unsure = unsure }()
	if s, c := l.inTheWay(); c != "" {
		owner, does, detail := holds(s)
		if detail != "" {
			l.detail["address-in-use"] = detail
		}
		if c == report.Possible {
			if s.Bound {
				l.detail["address-in-use"] += "; whether this one was cannot be seen"
			}
			l.summary["address-in-use"] = fmt.Sprintf("port %d may be held by %s", l.g.Port, owner)
		}
		why["{owner}"] = owner
		see(l, "socket", l.f.Net.Sockets.Now(nil),
			func([]facts.Socket) string { return s.Addr.String() },
			func([]facts.Socket) string { return s.Addr.String() + does })
		return c
	}
	if l.f.Net.Sockets.State == facts.Unreadable {
		see(l, "socket", l.f.Net.Sockets, nil, nil)
	}
	if l.f.Kernel.WSL.Value {
		why["{owner}"] = "a socket that cannot be seen from here, perhaps of a Windows program"
		l.detail["address-in-use"] = "where WSL shares its network with Windows (networkingMode=mirrored), a program there excludes one here; `netstat -ano` in Windows names its process"
	}
	return ""
}

// inTheWay picks the socket that holds the port: one that excludes ours for
// certain before one that may. Of several that may, it is not known which does;
// and unless the kernel said that the port is taken, not whether one does. Most
// connections come from a server that used SO_REUSEADDR; those are left out then.
func (l *look) inTheWay() (facts.Socket, string) {
	socks, _ := l.f.Net.Sockets.Is()
	asked := l.g
	asked.InUse = true
	var may []facts.Socket
	for _, s := range socks {
		switch rules.Conflicts(s, asked) {
		case rules.Yes:
			return s, report.Proven
		case rules.Unknown:
			if s.Bound || rules.Conflicts(s, l.g) != rules.No {
				may = append(may, s)
			}
		}
	}
	if len(may) == 0 {
		return facts.Socket{}, ""
	}
	if !l.g.InUse {
		return may[0], report.Possible
	}
	first, _, _ := holds(may[0])
	for _, s := range may {
		if owner, _, _ := holds(s); owner != first {
			return may[0], report.Likely
		}
	}
	return may[0], report.Proven
}

// holds words who holds the port with a socket, what the socket does there, and
// why that excludes another one where it does not listen.
func holds(s facts.Socket) (owner, does, detail string) {
	owner = Holder(s)
	switch {
	case strings.HasPrefix(s.Network, "udp"):
		return owner, " is bound: " + owner, ""
	case s.Inode == 0:
		owner = "a closed connection, for a minute"
		return owner, " waits: " + owner, "this end closed the connection first, and its socket had no SO_REUSEADDR: the kernel keeps the port until TIME_WAIT ends"
	case s.Bound:
		return owner + ", which is bound to it and does not listen", " is bound: " + owner, "a socket that was bound without SO_REUSEADDR excludes every other one; `ss -tanp`, run as root, names its process"
	case !s.Listen:
		return "a connection of " + owner, " is connected: " + owner, "a connection whose socket had no SO_REUSEADDR excludes a listener; `ss -tnp`, run as root, names its process"
	default:
		return owner, " listens: " + owner, ""
	}
}

// Holder names the owner of a socket as well as it is known.
func Holder(s facts.Socket) string {
	switch {
	case s.Self:
		return "this process itself"
	case strings.HasSuffix(s.Cgroup, ".socket"):
		return "systemd for " + term.Show(path.Base(s.Cgroup))
	case s.PID != 0:
		return fmt.Sprintf("%s (pid %d)", term.Show(s.Command), s.PID)
	case strings.HasSuffix(s.Cgroup, ".service"):
		return fmt.Sprintf("%s (uid %d)", term.Show(path.Base(s.Cgroup)), s.UID)
	case s.Cgroup != "":
		return fmt.Sprintf("uid %d in cgroup %s", s.UID, term.Show(s.Cgroup))
	default:
		return fmt.Sprintf("uid %d", s.UID)
	}
}

// absent names the cause that keeps the address from being bound, "" for none;
// unknown counts as none.
func (l *look) absent() string {
	if rules.Local(l.f, l.g) != rules.No {
		return ""
	}
	list := func(all []netip.Addr) string { return fmt.Sprint(all) }
	if tentative, _ := l.f.Net.Tentative.Is(); slices.Contains(tentative, l.g.Addr.WithZone("")) {
		see(l, "tentative", l.f.Net.Tentative, list, func([]netip.Addr) string { return l.g.Addr.String() + " is tentative" })
		return "address-tentative"
	}
	see(l, "addresses", l.f.Net.Addresses, list, func(all []netip.Addr) string { return fmt.Sprintf("this machine has %v", all) })
	return "address-unavailable"
}
