package kernel

import (
	"syscall"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/internal/errnos"
	"github.com/lowport/lowport/internal/facts"
)

// ofMachine are the questions about what the kernel decides by besides capabilities. What
// a refusal hides, or what is only predicted, is as the facts say.
var ofMachine = []unknown{portStarts, owners, outsides, profiles, locals, holders, lates, unseens}

// either returns the world with each of two answers. Where the fact was read, the second
// is left out.
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

// portStarts: is the port privileged here?
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
	if g.Port < defaultPortStart {
		return []World{closed, open.costs(1)}
	}
	return []World{open, closed.costs(1)}
}

// owners: do the capabilities count in the user namespace that is asked?
func owners(w World, g Goal, set caps.Set) []World {
	return either(w, Counts(w.Facts, set), g, func(w *World, yes bool) { w.Counts = yes })
}

// outsides: what would the program hold where it counts? What it holds in a user namespace
// of its own tells nothing of that (set_cred_user_ns): the file has to grant it, or whoever
// started it. An operator who is the same user would start it, and what the program gives up
// it would give up there too.
func outsides(w World, g Goal, set caps.Set) []World {
	o, known := w.Facts.Launcher.Operator.Is()
	out := w.Start()
	executed := w.seen || w.Missing() == 0
	engine := w.Facts.Launcher.Container.State == facts.Known // which gives its root what it grants
	if w.Counts || !known || !o.OtherUsers || out.Image.Unread || !executed || engine {
		return []World{w}
	}
	out.Starter = caps.State{Bounding: o.Bounding, NoNewPrivs: out.Starter.NoNewPrivs}
	out.Starter = Ambient(out.Starter, w.now.Ambient) // given after the user namespace was made, which clears it
	out.Caller = facts.IDs{UID: nobodyUID, EUID: nobodyUID, GID: nobodyUID, EGID: nobodyUID}
	if ids := w.Facts.Proc.IDs.Value; o.UID == ids.UID && o.UID != nobodyUID {
		out.Starter = Ambient(out.Starter, o.Ambient)
		if o.Permitted.Contains(o.Bounding) {
			out = out.byRoot()
		}
	}
	granted := out.costs(1)
	granted.Starter = Ambient(granted.Starter, set&o.Bounding)
	return []World{out, granted}
}

// profiles: does a security module let the thread use them?
func profiles(w World, g Goal, set caps.Set) []World {
	all := either(w, Granted(w.Facts, set), Goal{}, func(w *World, yes bool) { w.Granted = yes })
	return all
}

// locals: may the address be bound? A local route that no interface shows lets it be.
func locals(w World, g Goal, set caps.Set) []World {
	if g.Network == "" {
		return []World{w}
	}
	known := Local(w.Facts, g)
	if g.Takes {
		known = Yes
	}
	all := either(w, known, g, func(w *World, yes bool) { w.Local = yes })
	if known == Unknown && hasAddress(w.Facts, g) == No { // then only ip_nonlocal_bind, which is off as a rule, could let it be
		all[0].cost, all[1].cost = all[1].cost, all[0].cost
	}
	if known == No && Fit(g) && g.Refused.Errno != 0 {
		routed := w
		routed.Local = true
		// For IPv4 the port check comes after it, and alone answers so where no policy does.
		if !g.v4() || g.Refused.Errno != syscall.EACCES || policyErrno(w.Facts, g, attempt{}) != "" {
			routed = routed.costs(1)
		}
		all = append(all, routed)
	}
	return all
}

// An owned is what a report tells of a socket that may hold the port, besides its address.
type owned struct {
	network       string
	uid           uint32
	pid           int
	cgroup        string
	bound, closed bool
}

// ownerOf tells which sockets make one story: a server has thousands of connections on its
// port, and leaves as many closed ones.
func ownerOf(s facts.Socket) owned {
	return owned{s.Network, s.UID, s.PID, s.Cgroup, s.Bound, Waits(s)}
}

// holders: which socket holds the port? One that excludes ours for certain does; of those
// that may, any one or none.
func holders(w World, g Goal, set caps.Set) []World {
	if g.Network == "" || g.Port == 0 { // of 0 the kernel chooses a free one
		return []World{w}
	}
	socks, known := w.Facts.Net.Sockets.Is()
	asked := g
	asked.Refused.Errno = syscall.EADDRINUSE
	var may []World
	told := map[owned]bool{}
	for i, s := range socks {
		held := w
		held.Holder = i
		switch certain := Conflicts(s, asked); {
		case certain == Yes && (g.InUse() || Conflicts(s, g) == Yes):
			return []World{held}
		case certain != No:
			if g.Refused.Errno != 0 && (s.Bound || Waits(s)) || Conflicts(s, g) != No {
				if by := ownerOf(s); !told[by] {
					told[by] = true
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
	default: // what refused hides whether the port is free
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

// unseens: does something refuse that leaves no trace? It answers with any errno; for one
// that no gate gives it is the likely story.
func unseens(w World, g Goal, set caps.Set) []World {
	all := []World{w}
	at := func(gate string, cost int) {
		other := w.costs(cost)
		other.Unseen = gate
		all = append(all, other)
	}
	switch g.Refused.Errno {
	case 0:
		return all
	case syscall.EACCES, syscall.EPERM:
		switch {
		case g.Refused.Call == "listen": // to which the policies before it let the last attempt come
		case w.hiddenListen(g): // what is seen refuses the other attempt alone
			at("policy", 2)
		default:
			at("policy", 1)
		}
	case syscall.EAFNOSUPPORT, syscall.EPROTONOSUPPORT, syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM:
		at("socket", 1)
	case syscall.EADDRNOTAVAIL, syscall.EINVAL:
		at("address", 1)
	case syscall.EADDRINUSE:
	default:
		at("policy", 2)
	}
	if g.Refused.Call == "listen" || w.hiddenListen(g) {
		at("listen", 1)
	}
	return all
}

// hiddenListen reports whether the MPTCP attempt, which no gate refuses here, was probably
// refused at its end: package net tells of the last attempt alone, and there is a filter.
func (w World) hiddenListen(g Goal) bool {
	filter, _ := w.Facts.Proc.Seccomp.Is()
	return filter != 0 && len(g.attempts()) > 1 && w.refusedAt(g, both[0]) == nil && w.refusedAt(g, both[1]) != nil
}

// outcome reports whether the world predicts how the goal was refused: every attempt, and
// the last one with this errno at this call.
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
