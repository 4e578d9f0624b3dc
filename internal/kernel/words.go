package kernel

import (
	"errors"
	"fmt"
	"net"
	"path"
	"strconv"
	"strings"
	"syscall"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/internal/facts"
	"github.com/lowport/lowport/internal/term"
	"github.com/lowport/lowport/privport"
)

// words fills the {placeholders} of the catalogue; about is what is said to be missing.
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
	)
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
		w.detail = "IPv6 is off on the loopback interface: net.ipv6.conf.lo.disable_ipv6 is 1"
	}
	return w
}

const unfitDetail = "IPv6 accepts no multicast address for a TCP socket, and a link-local one only with its interface"

// sayInvalid says why no socket can have the address.
func sayInvalid(l *look, w wording) wording {
	a := term.Show(l.g.Addr.String())
	switch {
	case l.g.Refused.Errno == 0 && l.err != nil:
		return wording{invalid(l.err), w.detail}
	case Fit(l.g):
		return wording{"the kernel accepts no listener on this address", unfitDetail}
	case l.g.Addr.IsMulticast():
		return wording{a + " is a multicast address, which no TCP listener can have", unfitDetail}
	default:
		return wording{a + " is link-local and lacks its zone, the name of an interface: " + a + "%eth0", unfitDetail}
	}
}

// sayError says what is wrong with an address that the kernel was not asked for.
func sayError(l *look, w wording) wording { return wording{invalid(l.err), w.detail} }

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

// sayAuthbind says why authbind's helper refused as well.
func sayAuthbind(l *look, w wording) wording {
	var refused *privport.AuthbindError
	errors.As(l.err, &refused)
	return wording{"authbind does not allow it either: " + term.Show(refused.Why), w.detail}
}

// sayRootID says what an idmapped mount would make of file capabilities that are not there.
func sayRootID(l *look, w wording) wording {
	if l.w.Image.grants(l.about("")) || !l.f.File.IdmappedThere.Value {
		return w
	}
	return wording{"file capabilities may count for nothing on this idmapped mount",
		"an idmapped mount shows files as those of other users: what setcap writes there may name a root user other than that of this user namespace"}
}

// sayUngranted says nothing of a file that could not be read.
func sayUngranted(l *look, w wording) wording {
	if !l.w.Counts {
		return wording{"outside nothing grants {cap}", "where it counts, {exe} would be started without it: the file does not grant it, and neither does whoever started this process"}
	}
	if !fileRead(l.f, l.g) {
		w.detail = "nothing that can be seen grants it: whoever started this process gave it none, and the file capabilities of {exe} could not be read"
	}
	return w
}

// sayUnknown says what could not be read, where that is why nothing is known.
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

// sayForeign says that no capability counts here, held or not.
func sayForeign(l *look, w wording) wording {
	if !l.w.Holds(l.g) {
		w.summary = "{cap} would count only in another user namespace"
	}
	return w
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
	if detail != "" {
		w.detail = detail
	}
	w.summary = "port {port} is held by " + owner
	if !told(l.f, l.g) {
		return wording{"port {port} is held, and it cannot be told by which socket",
			"a socket that was made without SO_REUSEADDR excludes every other one, and one that neither listens nor is connected may not be seen; `ss -tanp`, run as root, lists more"}
	}
	if !l.g.InUse() && Conflicts(s, l.g) != Yes {
		w.summary = "port {port} may be held by " + owner
		if s.Bound {
			w.detail += "; whether this one was cannot be seen"
		}
	}
	return w
}

// told reports whether it is known which socket holds the port: the kernel said that one
// does, and one was seen that does for certain, or one owner's alone that may where all
// were listed.
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
		if n := len(s.Also); n > 0 {
			return fmt.Sprintf("%s (pid %d) and %d more", term.Show(s.Command), s.PID, n)
		}
		return fmt.Sprintf("%s (pid %d)", term.Show(s.Command), s.PID)
	case strings.HasSuffix(s.Cgroup, ".service"):
		return fmt.Sprintf("%s (uid %d)", term.Show(path.Base(s.Cgroup)), s.UID)
	case s.Cgroup != "":
		return fmt.Sprintf("uid %d in cgroup %s", s.UID, term.Show(s.Cgroup))
	default:
		return fmt.Sprintf("uid %d", s.UID)
	}
}
