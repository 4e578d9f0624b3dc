package kernel

import (
	"syscall"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/internal/errnos"
	"github.com/lowport/lowport/internal/facts"
)

// ofMachine are the questions about everything but capabilities that the kernel decides by.
var ofMachine = []unknown{portStarts, owners, outsides, profiles, locals, holders, lates, unseens}

// either returns the world once for each of the two answers to a question. If the answer is
// known, it returns one world. For a goal that was refused, No costs one.
func either(w World, known Answer, g Goal, set func(*World, bool)) []World {
	yes, no := w, w
	set(&yes, true)
	set(&no, false)
	switch known {
	case Yes:
		return []World{yes}
	case No:
		return []World{no}
	}
	if g.Refused.Errno != 0 {
		no = no.costs(1)
	}
	return []World{yes, no}
}

// portStarts: from which port on are ports unprivileged here?
func portStarts(w World, g Goal, set caps.Set) []World {
	if g.Network == "" {
		return []World{w}
	}
	if start, known := w.Facts.Net.PortStart.Is(); known {
		w.PortStart = start
		return []World{w}
	}
	open, closed := w, w
	open.PortStart, closed.PortStart = 0, max(defaultPortStart, g.Port+1)
	if g.Port < defaultPortStart || g.Refused.Errno == syscall.EACCES { // a policy for this port alone is rarer
		return []World{closed, open.costs(1)}
	}
	return []World{open, closed.costs(1)}
}

// owners: do the capabilities count in the user namespace in which the kernel checks them?
func owners(w World, g Goal, set caps.Set) []World {
	return either(w, Counts(w.Facts, set), g, func(w *World, yes bool) { w.Counts = yes })
}

// outsides: what would the program hold if it were started in the operator's user namespace,
// where capabilities count? What it holds in a user namespace of its own says nothing about
// that (set_cred_user_ns): outside, its file or its starter has to grant it. If the operator
// is the same user, the operator is taken to be the starter. What the program gives up here
// it would give up there too.
func outsides(w World, g Goal, set caps.Set) []World {
	o, known := w.Facts.Launcher.Operator.Is()
	engine := w.Facts.Launcher.Container.State == facts.Known // an engine gives its root what it grants
	if w.Counts || !known || !o.OtherUsers || engine {
		return []World{w}
	}
	out := w.Start()
	if executed := w.seen || w.Missing() == 0; !executed || out.Image.Unread {
		return []World{w}
	}
	out.Starter = caps.State{Bounding: o.Bounding, NoNewPrivs: out.Starter.NoNewPrivs}
	out.Starter = Ambient(out.Starter, w.now.Ambient) // a new user namespace clears it, so a launcher gave it afterwards
	out.Caller = nobody
	if ids := w.Facts.Proc.IDs.Value; o.UID == ids.UID && o.UID != facts.OverflowID {
		out.Starter = Ambient(out.Starter, o.Ambient)
		if o.Permitted.Contains(o.Bounding) {
			out = out.byRoot()
		}
	}
	granted := out.costs(1)
	granted.Starter = Ambient(granted.Starter, set&o.Bounding)
	return []World{out, granted}
}

// profiles: do the security modules let the thread use the capabilities?
func profiles(w World, g Goal, set caps.Set) []World {
	return either(w, Granted(w.Facts, set), Goal{}, func(w *World, yes bool) { w.Granted = yes })
}

// locals: may the address be bound? A local route, which no interface shows, allows it too.
func locals(w World, g Goal, set caps.Set) []World {
	if g.Network == "" {
		return []World{w}
	}
	known := Local(w.Facts, g)
	if g.Takes {
		known = Yes
	}
	all := either(w, known, g, func(w *World, yes bool) { w.Local = yes })
	if known == Unknown && hasAddress(w.Facts, g) == No { // only ip_nonlocal_bind could allow it, and it is usually off
		all[0].cost, all[1].cost = all[1].cost, all[0].cost
	}
	if known == No && Fit(g) && g.Refused.Errno != 0 {
		routed := w
		routed.Local = true
		// For IPv4 the port check comes after the address, and unless a policy refuses it alone answers EACCES.
		if !g.v4() || g.Refused.Errno != syscall.EACCES || policyErrno(w.Facts, g, attempt{}) != "" {
			routed = routed.costs(1)
		}
		all = append(all, routed)
	}
	return all
}

// An ownership is what a report says of a socket that may hold the port, besides its address.
type ownership struct {
	network       string
	uid           uint32
	pid           int
	cgroup        string
	bound, closed bool
}

// ownershipOf returns the same value for sockets that make one story: a server has thousands
// of connections on its port, and leaves as many closed ones.
func ownershipOf(s facts.Socket) ownership {
	return ownership{s.Network, s.UID, s.PID, s.Cgroup, s.Bound, Waits(s)}
}

// holders: which socket holds the port? A socket that certainly excludes ours does. Otherwise
// it is any one of those that may exclude ours, or none.
func holders(w World, g Goal, set caps.Set) []World {
	if g.Network == "" || g.Port == 0 { // for port 0 the kernel chooses a free one
		return []World{w}
	}
	socks, known := w.Facts.Net.Sockets.Is()
	asked := g
	asked.Refused.Errno = syscall.EADDRINUSE
	var may []World
	had := map[ownership]bool{}
	for i, s := range socks {
		held := w
		held.Holder = i
		switch certain := Conflicts(s, asked); {
		case certain == Yes && (g.InUse() || Conflicts(s, g) == Yes):
			return []World{held}
		case certain != No:
			if g.Refused.Errno != 0 && (s.Bound || Waits(s)) || Conflicts(s, g) != No {
				if owner := ownershipOf(s); !had[owner] {
					had[owner] = true
					may = append(may, held)
				}
			}
		}
	}
	unseen := w
	unseen.Holder = unseenHolder
	whole, _ := w.Facts.Net.AllBound.Is()
	switch {
	case g.InUse() && known && (whole || g.Protocol() == "udp"):
		return append(may, w, unseen.costs(1))
	case g.InUse(), g.Refused.Errno == 0 && !known:
		return append(may, w, unseen)
	case g.Refused.Errno == 0:
		return append(may, w)
	default: // the refusal hides whether the port is free
		return append(may, w, unseen.costs(2))
	}
}

// lates: does the policy that refused the probes refuse before the port check, or once the
// socket is bound?
func lates(w World, g Goal, set caps.Set) []World {
	late := w
	late.Late = true
	switch when := policyWhen(w.Facts, g); {
	case policyErrno(w.Facts, g, attempt{}) == "", when == facts.BeforePort:
		return []World{w}
	case when == facts.AfterPort:
		return []World{late}
	case g.Refused.Errno == 0:
		return []World{w}
	}
	return []World{w, late}
}

// unseens: does something refuse that leaves no trace? It may answer with any errno. If no gate
// answers with the errno that was read, that is the likely story.
func unseens(w World, g Goal, set caps.Set) []World {
	all := []World{w}
	at := func(gate string, cost int) {
		other := w.costs(cost)
		other.Unseen = gate
		all = append(all, other)
	}
	if g.Refused.Call == "option" {
		at("setup", 0)
		return all[1:]
	}
	switch g.Refused.Errno {
	case 0:
		return all
	case syscall.EACCES, syscall.EPERM:
		switch {
		case g.Refused.Call == "listen": // the policies before it let the last attempt pass
		case w.hiddenListen(g): // what is seen refuses the last attempt alone
			at("policy", 2)
		default:
			at("policy", 1)
		}
	case syscall.EAFNOSUPPORT, syscall.EPROTONOSUPPORT, syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM:
		at("socket", 1)
	case syscall.EADDRNOTAVAIL, syscall.EINVAL:
		if g.any() { // the kernel has no objection to a wildcard address
			at("policy", 1)
		} else {
			at("address", 1)
		}
	case syscall.EADDRINUSE:
	default:
		at("policy", 2)
	}
	if g.Refused.Call == "listen" || w.hiddenListen(g) {
		at("listen", 1)
	}
	return all
}

// hiddenListen reports whether a filter probably refused listen(2) to the MPTCP attempt. No
// gate refuses that attempt here, and package net reports the error of the last one alone.
func (w World) hiddenListen(g Goal) bool {
	filter, _ := w.Facts.Proc.Seccomp.Is()
	return filter != 0 && len(g.attempts()) > 1 && w.refusedAt(g, both[0]) == nil && w.refusedAt(g, both[1]) != nil
}

// outcome reports whether the world predicts how the goal was refused: it refuses every
// attempt, and the last one with the errno and the call of the refusal.
func (w World) outcome(g Goal) bool {
	if g.Refused.Errno == 0 {
		return true
	}
	var first *Gate
	var last attempt
	for _, a := range g.attempts() {
		if first, last = w.refusedAt(g, a), a; first == nil {
			return false
		}
	}
	errno := first.errno(w, g, last)
	if first.Name == w.Unseen {
		errno = ""
		if (first.Name == "listen") != (g.Refused.Call == "listen") {
			return false
		}
	}
	return errno == "" || errno == errnos.Name(g.Refused.Errno)
}
