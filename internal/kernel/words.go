package kernel

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"path"
	"strconv"
	"strings"
	"syscall"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/internal/facts"
	"github.com/lowport/lowport/internal/term"
	"github.com/lowport/lowport/privport"
)

// words fills in the {placeholders} of the catalogue; about is {cap}.
func words(f *facts.Facts, g Goal, about caps.Set) *strings.Replacer {
	exe := "the program's file"
	if p, ok := f.File.Path.Is(); ok {
		exe = term.Show(p)
	}
	where := "the file"
	if u, ok := f.Launcher.Unit.Is(); ok {
		where = u.Name
	}
	return strings.NewReplacer(
		"{cap}", about.String(),
		"{exe}", exe,
		"{unit}", where,
		"{port}", strconv.Itoa(g.Port),
		"{start}", strconv.Itoa(f.Net.PortStart.Value),
		"{addr}", term.Show(g.Addr.String()),
		"{tcp}", g.Protocol(),
		"{ss}", map[string]string{"tcp": "ss -ltnp", "udp": "ss -lunp"}[g.Protocol()],
		"{stream}", g.stream(),
		"{widening}", widening(f),
	)
}

// widening is what would widen the bounding set alone, in the words of the engine or manager
// that starts the program.
func widening(f *facts.Facts) string {
	const alone = "it changes the bounding set only"
	engine, inside := f.Launcher.Container.Is()
	switch engine {
	case "docker", "nerdctl":
		return "--cap-add for a user other than root: " + alone
	case "kubernetes":
		return "capabilities.add for a user other than root: " + alone
	}
	if inside {
		return "a wider bounding set: it grants nothing by itself"
	}
	return "CapabilityBoundingSet=: " + alone
}

// stream is the protocol in the words of AppArmor.
func (g Goal) stream() string {
	return map[string]string{"tcp": "stream", "udp": "dgram"}[g.Protocol()]
}

// Loopback6Off reports whether an address is missing because the loopback interface has no IPv6.
func Loopback6Off(f *facts.Facts, g Goal) bool {
	return g.Addr.Is6() && !g.Addr.Is4In6() && g.Addr.IsLoopback() && f.Net.NoLoop6.Value
}

// sayUnavailable says why an address that every machine has is missing.
func sayUnavailable(l *look, w wording) wording {
	if Loopback6Off(l.f, l.g) {
		return wording{"{addr} is missing: IPv6 is disabled on lo (net.ipv6.conf.lo.disable_ipv6 = 1)", w.detail}
	}
	s, found := l.f.Net.SpecialAddress(l.g.Addr)
	switch dev := term.Show(s.Dev); {
	case found && s.Down:
		return wording{"{addr} is on " + dev + ", which is down", "bind accepts only addresses of interfaces that are up"}
	case found && l.g.Addr.Zone() != "" && !s.Has(l.g.Addr.Zone()):
		return wording{l.g.Addr.WithZone("").String() + " is on " + dev + ", not on " + term.Show(l.g.Addr.Zone()), "a link-local address belongs to the interface that its zone names"}
	}
	if own := ownAddresses(l.f, l.g); own != "" {
		pick := "one of them"
		if !strings.Contains(own, ",") {
			pick = "it"
		}
		w.detail = "this machine has " + own + ": use " + pick + ", or :{port} for every address; " + w.detail
	}
	return w
}

// sayTentative says why the check for a duplicate goes on.
func sayTentative(l *look, w wording) wording {
	switch s, found := l.f.Net.SpecialAddress(l.g.Addr); {
	case found && s.Duplicate:
		return wording{"another machine on the network of " + term.Show(s.Dev) + " has {addr}",
			"the check for a duplicate found one (dadfailed), so this machine does not use the address: one of the two has to take another"}
	case found && s.NoCarrier:
		return wording{"{addr} is on " + term.Show(s.Dev) + ", which has no carrier",
			"an IPv6 address can be bound only after duplicate address detection, which begins when the interface has a carrier: a cable, or a peer that is up"}
	}
	return w
}

// ownAddresses lists addresses of the machine that are of the goal's family, "" where none
// is known.
func ownAddresses(f *facts.Facts, g Goal) string {
	var own []string
	for _, a := range f.Net.Addresses.Value {
		if a.Is4() == g.Addr.Unmap().Is4() {
			own = append(own, zoned(f, a).String())
		}
	}
	return few(own)
}

// zoned returns the address with its zone, if it is one that needs that.
func zoned(f *facts.Facts, a netip.Addr) netip.Addr {
	if s, found := f.Net.SpecialAddress(a); found && a.Is6() && a.IsLinkLocalUnicast() {
		return a.WithZone(s.Dev)
	}
	return a
}

// few lists the first of several words.
func few(all []string) string {
	const most = 4
	if n := len(all) - most; n > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(all[:most], ", "), n)
	}
	return strings.Join(all, ", ")
}

const unfitDetail = "IPv6 accepts no multicast address for a TCP socket, and a link-local one only with its interface"

// sayInvalid says why no socket can have the address.
func sayInvalid(l *look, w wording) wording {
	a := term.Show(l.g.Addr.String())
	switch {
	case l.g.Refused.Errno == 0 && l.err != nil:
		var network net.UnknownNetworkError
		if errors.As(l.err, &network) {
			return wording{"there is no network " + term.Show(string(network)), "a network is tcp or udp, perhaps with 4 or 6 behind it, or unix"}
		}
		return wording{invalid(l.err), w.detail}
	case Fit(l.g):
		return wording{"the kernel accepts no listener on this address", unfitDetail}
	case l.g.Addr.IsMulticast():
		return wording{a + " is a multicast address, which no TCP listener can have", unfitDetail}
	default:
		whole := a + "%eth0"
		if s, found := l.f.Net.SpecialAddress(l.g.Addr); found {
			whole = term.Show(l.g.Addr.WithZone(s.Dev).String())
		}
		return wording{a + " is link-local and lacks its zone, the name of an interface: " + whole, unfitDetail}
	}
}

// sayError gives the error of an address about which the kernel was not asked.
func sayError(l *look, w wording) wording { return wording{invalid(l.err), w.detail} }

// invalid words an error that never reached the kernel.
func invalid(err error) string {
	var addr *net.AddrError
	var dns *net.DNSError
	switch {
	case errors.As(err, &addr):
		return sayAddress(addr)
	case errors.As(err, &dns):
		return unresolved(dns)
	}
	var op *net.OpError
	if errors.As(err, &op) {
		return term.Show(op.Err.Error())
	}
	return term.Show(err.Error())
}

// unresolved says which part of an address has no number.
func unresolved(e *net.DNSError) string {
	if port, ok := unknownPort(e); ok {
		return fmt.Sprintf("%q is no port", port)
	}
	return "the name " + term.Show(e.Name) + " does not resolve: " + term.Show(e.Err)
}

// unknownPort returns the name of a port that no service has, net.LookupPort.
func unknownPort(e *net.DNSError) (port string, ok bool) {
	_, port, ok = strings.Cut(e.Name, "/")
	return port, ok && e.Err == "unknown port"
}

// sayAddress says what is wrong with HOST:PORT, and what was meant where that is clear.
func sayAddress(e *net.AddrError) string {
	a := term.Show(e.Addr)
	if _, err := netip.ParseAddr(e.Addr); err == nil && (e.Err == "missing port in address" || e.Err == "too many colons in address") {
		return fmt.Sprintf("%s has no port: write %s", a, net.JoinHostPort(e.Addr, "PORT"))
	}
	switch {
	case e.Err != "missing port in address":
		return a + ": " + e.Err
	case e.Addr != "" && strings.Trim(e.Addr, "0123456789") == "":
		return fmt.Sprintf(`%s has no colon: did you mean ":%s"?`, a, a)
	case e.Addr != "":
		return fmt.Sprintf("%s has no port: write %s:PORT", a, a)
	}
	return "the address is empty: write :PORT"
}

// sayAuthbind says why authbind's helper refused as well.
func sayAuthbind(l *look, w wording) wording {
	var refused *privport.AuthbindError
	errors.As(l.err, &refused)
	return wording{"authbind does not allow it either: " + term.Show(refused.Why), w.detail}
}

// sayRootID says, for a file without capabilities, what an idmapped mount would do to them.
func sayRootID(l *look, w wording) wording {
	if l.w.Image.grants(l.about("")) || !l.f.File.IdmappedThere.Value {
		return w
	}
	return wording{"file capabilities may count for nothing on this idmapped mount",
		"an idmapped mount shows files as those of other users: what setcap writes there may name a root user other than that of this user namespace"}
}

// sayUngranted says who does not grant the capability. It says nothing about a file that could
// not be read.
func sayUngranted(l *look, w wording) wording {
	if !l.w.Counts {
		return wording{"nothing grants {cap} outside of this user namespace either",
			"where it counts, {exe} would be started without it: its file does not grant it, and whoever started this process does not either"}
	}
	got := "this process got none"
	if l.f.Launch.Planned {
		got = "this start grants none"
		w.summary = "nothing grants {cap}: {exe} has no file capabilities, and " + got
	}
	if !fileRead(l.f, l.g) {
		w.summary = "nothing that could be read grants {cap}: " + got + ", and the file capabilities of {exe} are unreadable"
	}
	return w
}

// sayInheritable says which of the file and the process has it inheritable, if both could be read.
func sayInheritable(l *look, w wording) wording {
	need, file := l.about(""), l.w.Image.Caps.Inheritable
	process, read := l.f.Proc.Thread.Is()
	switch {
	case !read || !fileRead(l.f, l.g) || l.f.Launch.Planned:
	case file.Contains(need) && !process.Inheritable.Contains(need):
		w.summary = "{cap} is inheritable on {exe}, and not in this process"
	case process.Inheritable.Contains(need) && !file.Contains(need):
		w.summary = "{cap} is inheritable in this process, and not on {exe}"
	}
	return w
}

// sayReplaced says what happened to the file, if that could be read.
func sayReplaced(l *look, w wording) wording {
	switch deleted, read := l.f.File.Deleted.Is(); {
	case !read:
	case deleted:
		w.summary = "{exe} was replaced after this process started"
	default:
		w.summary = "{exe} was given capabilities after this process started"
	}
	return w
}

// sayLimit says which limit it is, getrlimit(2) and socket(2).
func sayLimit(l *look, w wording) wording {
	switch l.g.Refused.Errno {
	case syscall.EMFILE:
		w.summary = "this process has as many files open as it may (RLIMIT_NOFILE)"
	case syscall.ENFILE:
		return wording{"the whole machine has as many files open as it may", "the socket could not be made; fs.file-max is the limit"}
	case syscall.ENOBUFS, syscall.ENOMEM:
		return wording{"the kernel has no memory left for a socket", "the socket could not be made; the limit is that of the machine, or of the memory cgroup of the unit or container"}
	}
	return w
}

// sayPolicy does not mention a seccomp filter if there is none.
func sayPolicy(l *look, w wording) wording {
	if mode, read := l.f.Proc.Seccomp.Is(); read && mode == 0 {
		w.detail = "the kernel's own port check answers EACCES alone, and no seccomp filter is set: a cgroup BPF program or a security module refused"
	}
	return w
}

// sayThreshold gives no number that was not read.
func sayThreshold(l *look, w wording) wording {
	if l.f.Net.PortStart.State == facts.Known {
		return w
	}
	return wording{"port {port} is probably privileged here",
		"net.ipv4.ip_unprivileged_port_start could not be read in this network namespace; the kernel's default is 1024"}
}

// sayUnknown says that the threads could not be read, if that is the reason.
func sayUnknown(l *look, w wording) wording {
	if everyThread(l.f, l.g) {
		return w
	}
	see(l, "threads", l.f.Proc.Threads, nil, nil)
	return wording{"what the other threads hold could not be read",
		"every thread needs {cap}, and /proc, which lists them, could not be read; where it is not mounted, mount it"}
}

// sayControl names the call that Control made.
func sayControl(l *look, w wording) wording {
	call, errno := l.g.Refused.Call, l.g.Refused.Errno
	switch {
	case call == "setsockopt" && (errno == syscall.EPERM || errno == syscall.EACCES):
		w.summary = "setsockopt needs cap_net_admin or cap_net_raw: the program's Control function sets an option that this process may not"
	case call == "setsockopt":
		return wording{"setsockopt failed: " + errno.Error(), "the program's Control function sets an option of the socket that the kernel does not take here"}
	default:
		return wording{"the program's Control function failed: " + invalid(l.err), "it runs before the bind, which was not tried; its error is its own"}
	}
	return w
}

// sayForeign does not say that the capability is held if it is not.
func sayForeign(l *look, w wording) wording {
	held, read := l.f.Proc.Thread.Is()
	if !read || !(held.Permitted | held.Effective).Contains(l.about("foreign-user-namespace")) {
		w.summary = "{cap} would count only in another user namespace"
	}
	return w
}

// sayForeignMount tells a file in memory, and a set-user-ID bit, from the usual case.
func sayForeignMount(l *look, w wording) wording {
	if l.f.InMemory() {
		return wording{"the program runs from memory, where file capabilities never count",
			"execve ignores the capabilities of a file of memfd_create(2), whose mount belongs to no mount namespace"}
	}
	return orBit(wording{"the file's set-user-ID bit is ignored: its mount belongs to another mount namespace",
		"execve ignores the bit of a file that was reached through another mount namespace, as by /proc/PID/root or a passed descriptor"},
		wording{"file capabilities would be ignored: the file's mount belongs to another mount namespace", w.detail})(l, w)
}

// orBit returns a say for what makes execve ignore the file: the words for a file that grants
// nothing but by its set-user-ID bit, and, if there are any, for one that grants nothing yet.
func orBit(bit, none wording) func(*look, wording) wording {
	return func(l *look, w wording) wording {
		image := l.w.Image
		switch {
		case image.Stamped && image.Caps.Permitted|image.Caps.Inheritable != 0:
			return w
		case image.Stat.Setuid():
			return bit
		case none != (wording{}):
			return none
		}
		return w
	}
}

// sayNotRaised does not say that the capability is permitted if it is not.
func sayNotRaised(l *look, w wording) wording {
	if l.f.Proc.Thread.Value.Permitted.Contains(l.g.Need()) {
		return w
	}
	return wording{"{cap} would be permitted and not effective", "the kernel checks the effective set, and this program does not raise what is permitted"}
}

// saySetID says that a set-ID bit cleared the ambient set, if one did.
func saySetID(l *look, w wording) wording {
	if !l.w.Image.Stat.Setid() || l.w.Image.counts() {
		return w
	}
	return wording{"the file's set-ID bit cleared the ambient {cap}",
		"execve of a set-user-ID or set-group-ID file clears the ambient set, and leaves the inheritable one, which alone grants nothing; file capabilities count all the same"}
}

// sayHolder says whose socket holds the port.
func sayHolder(l *look, w wording) wording {
	if l.w.Holder < 0 {
		w.summary = "port {port} is held by a socket that cannot be seen from here"
		if l.f.Kernel.WSL.Value {
			w.summary += ", perhaps of a Windows program"
			w.detail = "where WSL shares its network with Windows (networkingMode=mirrored), a program there excludes one here; `netstat -ano` in Windows names its process"
		}
		return w
	}
	s := l.f.Net.Sockets.Value[l.w.Holder]
	owner, _, detail := holds(s)
	if s.PID != 0 {
		w.detail = "the socket there excludes any other"
	}
	if detail != "" {
		w.detail = detail
	}
	w.summary = "port {port} is held by " + owner
	if !told(l.f, l.g) {
		return wording{"port {port} is held, and it cannot be told by which socket",
			"a socket that was made without SO_REUSEADDR excludes every other one, and one that neither listens nor is connected may not be seen; `sudo ss -tanp` lists more"}
	}
	if !l.g.InUse() && Conflicts(s, l.g) != Yes {
		w.summary = "port {port} may be held by " + owner
		if s.Bound {
			w.detail += "; whether this one was cannot be seen"
		}
	}
	return w
}

// told reports whether it is known whose socket holds the port. If the kernel said that it is
// taken, a socket was seen that certainly holds it; or all were listed, and those that may
// hold it have one owner.
func told(f *facts.Facts, g Goal) bool {
	if !g.InUse() {
		return true
	}
	owner := ""
	for _, s := range f.Net.Sockets.Value {
		switch Conflicts(s, g) {
		case Yes:
			return true
		case Unknown:
			its, _, _ := holds(s)
			if owner != "" && owner != its {
				return false
			}
			owner = its
		}
	}
	return owner != "" && f.Net.AllBound.Value
}

// holds says whose socket s is, what it does on the port, and why that excludes another one if
// it does not listen.
func holds(s facts.Socket) (owner, does, detail string) {
	owner = Holder(s)
	switch {
	case strings.HasPrefix(s.Network, "udp"):
		return owner, " is bound: " + owner, ""
	case Waits(s):
		owner = "a closed connection, for a minute"
		return owner, " waits: " + owner, "this end closed the connection first, and its socket had no SO_REUSEADDR: the kernel keeps the port until TIME_WAIT ends"
	case s.Bound:
		return owner + ", which is bound to it and does not listen", " is bound: " + owner, "a socket that was bound without SO_REUSEADDR excludes every other one; `sudo ss -tanp` names its process"
	case !s.Listen:
		return "a connection of " + owner, " is connected: " + owner, "a connection whose socket had no SO_REUSEADDR excludes a listener; `sudo ss -tnp` names its process"
	default:
		return owner, " listens: " + owner, ""
	}
}

// Holder names the owner of a socket as exactly as it is known.
func Holder(s facts.Socket) string {
	switch {
	case s.Self:
		return "this process itself"
	case strings.HasSuffix(s.Cgroup, ".socket"):
		return "systemd for " + term.Show(path.Base(s.Cgroup))
	case s.PID != 0:
		state := ""
		if s.Ends.Stopped {
			state = ", stopped"
		}
		if n := len(s.Also); n > 0 {
			return fmt.Sprintf("%s (pid %d%s) and %d more", term.Show(s.Command), s.PID, state, n)
		}
		return fmt.Sprintf("%s (pid %d%s)", term.Show(s.Command), s.PID, state)
	case strings.HasSuffix(s.Cgroup, ".service") && strings.Contains(s.Cgroup, "/user@"):
		return fmt.Sprintf("the user unit %s (uid %d)", term.Show(path.Base(s.Cgroup)), s.UID)
	case strings.HasSuffix(s.Cgroup, ".service"):
		return fmt.Sprintf("%s (uid %d)", term.Show(path.Base(s.Cgroup)), s.UID)
	case s.Cgroup != "":
		return fmt.Sprintf("uid %d in cgroup %s", s.UID, term.Show(s.Cgroup))
	default:
		return fmt.Sprintf("uid %d", s.UID)
	}
}
