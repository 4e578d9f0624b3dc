package privport

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
)

// The sockets that a process is started with (sd_listen_fds(3)): LISTEN_FDS
// descriptors from 3 on, for the process LISTEN_PID, named by LISTEN_FDNAMES.
// A process that hands its sockets over cannot know the pid of the next one
// beforehand, and says instead whose child it is: see [HandOver].
const (
	firstFD  = 3
	mostFDs  = 1 << 10 // more is a mistake, and not worth a look at each
	envFDs   = "LISTEN_FDS"
	envPID   = "LISTEN_PID"
	envNames = "LISTEN_FDNAMES"
	envPPID  = "LOWPORT_LISTEN_PPID"
	envPIDFD = "LISTEN_PIDFDID" // of systemd 258, beside LISTEN_PID
)

// A socket is one that this process was started with.
type socket struct {
	fd      int
	name    string         // FileDescriptorName=, "" for none
	network string         // "tcp4", "tcp6", "udp4", "udp6"; "" for anything else
	addr    netip.AddrPort // where it is bound
	both    bool           // an IPv6 socket that takes IPv4 too
	why     string         // with no network: what it is instead
	claimed bool           // Listen or ListenPacket has returned it
}

// An offer is what the environment says about such sockets.
type offer struct {
	names   []string // of descriptors from firstFD on
	trouble string   // why there are none although LISTEN_FDS is set
}

// readOffer makes sense of the environment of process pid.
func readOffer(getenv func(string) string, pid, ppid int) offer {
	n, err := strconv.Atoi(getenv(envFDs))
	if err != nil || n < 0 || n > mostFDs {
		return offer{trouble: fmt.Sprintf("LISTEN_FDS=%q is not a number of sockets", getenv(envFDs))}
	}
	switch forPID, forChild := getenv(envPID), getenv(envPPID); {
	case forPID == strconv.Itoa(pid), forPID == "" && forChild == strconv.Itoa(ppid):
	case forPID == "" && forChild == "":
		return offer{trouble: "LISTEN_FDS is set and LISTEN_PID is not, so the sockets may be anybody's"}
	case forPID == "":
		return offer{trouble: fmt.Sprintf("the sockets of LISTEN_FDS are for a child of process %q, and the parent of this one is %d: what hands them over has to start this program directly, and to run until it listens", forChild, ppid)}
	default:
		return offer{trouble: fmt.Sprintf("the sockets of LISTEN_FDS are for process %q, and this is %d: what was started has to exec this program, not run it as a child", forPID, pid)}
	}
	names := make([]string, n)
	if list := getenv(envNames); list != "" {
		copy(names, strings.Split(list, ":"))
	}
	return offer{names: names}
}

// given is what this process was started with. It is read at the first call
// that finds LISTEN_FDS set, and then kept: a descriptor is this process's one
// hold on a socket that it could not bind again.
var given struct {
	sync.Mutex
	sockets []*socket
	trouble string
}

// take reads the sockets of the environment, once, and clears it: they are not
// for the children of this process. Of each socket it holds a copy, since the
// descriptors are no secret: whoever else knows of LISTEN_FDS may close one, and its
// number is then that of something else. It reports whether there is anything to
// look at. Where LISTEN_FDS is not set it does nothing else.
func take() bool {
	if runtime.GOOS != "linux" {
		return false
	}
	given.Lock()
	defer given.Unlock()
	if os.Getenv(envFDs) != "" {
		o := readOffer(os.Getenv, os.Getpid(), os.Getppid())
		for _, name := range []string{envFDs, envPID, envNames, envPPID, envPIDFD} {
			os.Unsetenv(name)
		}
		given.trouble = o.trouble
		for i, name := range o.names {
			s := look(firstFD + i)
			s.fd, s.name = firstFD+i, name
			if s.network != "" {
				s.fd = hold(s.fd)
			}
			given.sockets = append(given.sockets, &s)
		}
	}
	return len(given.sockets) > 0
}

// A claimed socket, and what about it differs from what was asked.
type claimed struct {
	fd   int
	note string
}

// claim finds the socket that fits an address best.
func claim(ctx context.Context, network, address string) (claimed, bool) {
	if !take() {
		return claimed{}, false
	}
	want, err := wanted(ctx, network, address)
	if err != nil {
		return claimed{}, false // the bind says it better
	}
	given.Lock()
	defer given.Unlock()
	s, note := best(given.sockets, want)
	if s == nil {
		return claimed{}, false
	}
	s.claimed = true
	return claimed{s.fd, note}, true
}

// A want is an address to listen on, with the addresses of its host.
type want struct {
	Target
	name  string       // the port as it was written, "443" or "https"
	hosts []netip.Addr // of a host that is not empty
}

func wanted(ctx context.Context, network, address string) (want, error) {
	t, err := Parse(ctx, network, address)
	if err != nil {
		return want{}, err
	}
	_, name, err := net.SplitHostPort(address)
	w := want{Target: t, name: name}
	if t.Host == "" || err != nil {
		return w, err
	}
	if ip, err := netip.ParseAddr(t.Host); err == nil {
		w.hosts = []netip.Addr{ip.Unmap()}
		return w, nil
	}
	w.hosts, err = net.DefaultResolver.LookupNetIP(ctx, "ip", t.Host)
	for i := range w.hosts {
		w.hosts[i] = w.hosts[i].Unmap()
	}
	return w, err
}

// best is the socket that fits, nil for none, and what is to be said about it.
// One bound as asked goes before one that takes fewer addresses, and that before
// one whose name alone fits. Of equals the first that nobody has goes first.
func best(all []*socket, w want) (*socket, string) {
	var found *socket
	var note string
	rank := 0
	for _, s := range all {
		fit, say := s.fits(w)
		fit *= 2
		if fit > 0 && !s.claimed {
			fit++
		}
		if fit > rank {
			found, note, rank = s, say, fit
		}
	}
	return found, note
}

// How well a socket fits.
const (
	not     = iota
	byName  // by FileDescriptorName= alone
	partly  // one family of the two that were asked for
	exactly // bound as a bind here would
)

// fits says how well a socket is what was asked. One that takes more than was
// asked does not fit: what is meant for the loopback stays there.
func (s *socket) fits(w want) (int, string) {
	if s.network == "" || s.network[:3] != w.Network[:3] {
		return not, ""
	}
	if int(s.addr.Port()) == w.Port {
		got := s.addr.Addr()
		asked := w.hosts
		if len(asked) == 0 {
			asked = []netip.Addr{netip.IPv6Unspecified()}
		}
		for _, a := range asked {
			switch {
			case !a.IsUnspecified():
				if got == a && (w.Network == w.Network[:3] || s.network == w.Network) {
					return exactly, ""
				}
			case !got.IsUnspecified():
			case w.Network == s.network:
				if !s.both {
					return exactly, ""
				}
			case w.Network != w.Network[:3]:
			case s.both, a.Is4() && got.Is4():
				return exactly, ""
			case got.Is4():
				return partly, onlyIPv4(w.Port, s.addr, "the inherited socket is an IPv4 one")
			default:
				return partly, fmt.Sprintf("asked for every address of port %d, got only the IPv6 ones (%v): the inherited socket has IPV6_V6ONLY", w.Port, s.addr)
			}
		}
	}
	if s.name != "" && s.name == w.name {
		return byName, fmt.Sprintf("asked for %v, got %v: the inherited socket has the name %q", w.Target, s, s.name)
	}
	return not, ""
}

// Leftover says which of the sockets that this process was started with have not
// been returned by [Listen] or [ListenPacket] so far, and why none could be taken
// although LISTEN_FDS is set. It is nil if there is nothing to say.
//
// A socket is taken if it has the right type and is bound to the requested
// address, or has the port as its name (FileDescriptorName=https for ":https").
// One that accepts more addresses than were requested is not taken. A taken
// socket stays open until this process ends, so that the same address can be
// listened on again, as after a reload. The descriptors are close-on-exec and the
// environment variables are cleared, so that no child gets them.
func Leftover() []string {
	take()
	given.Lock()
	defer given.Unlock()
	var notes []string
	if given.trouble != "" {
		notes = append(notes, given.trouble)
	}
	for _, s := range given.sockets {
		if !s.claimed {
			notes = append(notes, "inherited and not asked for so far: "+s.String())
		}
	}
	return notes
}

// String says what a socket is.
func (s *socket) String() string {
	text := s.network + " " + s.addr.String()
	switch {
	case s.network == "":
		text = "descriptor " + strconv.Itoa(s.fd) + ", " + s.why
	case s.both:
		text = s.network[:3] + " " + s.addr.String()
	}
	if s.name != "" {
		text += fmt.Sprintf(" (named %q)", s.name)
	}
	return text
}
