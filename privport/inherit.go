package privport

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
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
	Offer
	held int // a descriptor of our own, -1 before the socket is taken
}

// noSocket is the held of a socket that nobody has taken.
const noSocket = -1

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
		return offer{trouble: fmt.Sprintf("the sockets of LISTEN_FDS are for process %q, and this is %d: a wrapper has to exec this program, not run it as a child", forPID, pid)}
	}
	names := make([]string, n)
	if list := getenv(envNames); list != "" {
		copy(names, strings.Split(list, ":"))
	}
	return offer{names: names}
}

// given is what this process was started with. It is read at the first call that finds
// LISTEN_FDS set, and then kept.
var given struct {
	sync.Mutex
	read    bool
	sockets []*socket
	trouble string
}

// take reads the sockets of the environment, once. It reports whether there is anything
// to look at. Where LISTEN_FDS is not set it does nothing.
func take() bool {
	if runtime.GOOS != "linux" {
		return false
	}
	given.Lock()
	defer given.Unlock()
	if !given.read && os.Getenv(envFDs) != "" {
		given.read = true
		o := readOffer(os.Getenv, os.Getpid(), os.Getppid())
		given.trouble = o.trouble
		for i, name := range o.names {
			s := &socket{Offer: look(firstFD + i), held: noSocket}
			s.FD, s.Name = firstFD+i, name
			given.sockets = append(given.sockets, s)
		}
	}
	return len(given.sockets) > 0
}

// claim takes the socket that fits an address best and returns a copy of its
// descriptor, nil for none, and what differs from what was asked.
func claim(ctx context.Context, network, address string) (*os.File, string, error) {
	if !take() {
		return nil, "", nil
	}
	want, err := wanted(ctx, network, address)
	if err != nil {
		return nil, "", nil // the bind says it better
	}
	want.strict = startedByLess()
	given.Lock()
	defer given.Unlock()
	unfit := map[int]bool{}
	for {
		i, note := choose(len(given.sockets), func(i int) (o Offer) {
			if !unfit[i] {
				o = given.sockets[i].Offer
			}
			return o
		}, want)
		if i < 0 {
			return nil, "", nil
		}
		s := given.sockets[i]
		ok, err := s.hold(want.strict)
		if err != nil {
			return nil, "", err
		}
		if !ok {
			unfit[i] = true
			continue
		}
		s.Taken = true
		if !slices.ContainsFunc(given.sockets, func(s *socket) bool { return !s.Taken }) {
			clearOffer()
		}
		f, err := duplicate(s.held)
		return f, note, err
	}
}

// hold takes a copy of the descriptor, which this process keeps: it could not bind the
// socket again. The number alone is no secret: other code that knows LISTEN_FDS may
// have closed it, and it may be that of another file now. So what was copied is looked
// at again, and hold reports whether it is what it was. A strict one also has to be of this
// network namespace, and of every interface. An error says that no copy could be made.
func (s *socket) hold(strict bool) (ok bool, err error) {
	if s.held != noSocket {
		return true, nil
	}
	fd, err := copyFD(s.FD)
	if errors.Is(err, syscall.EBADF) {
		return false, nil
	} else if err != nil {
		return false, err
	}
	now := look(fd)
	now.FD, now.Name, now.Taken = s.FD, s.Name, s.Taken
	if now != s.Offer || strict && !(inOwnNetwork(fd, now) && everyInterface(fd, now)) {
		closeFD(fd)
		return false, nil
	}
	s.held = fd
	return true, nil
}

// clearOffer clears the variables, when nothing is left for others.
func clearOffer() {
	for _, name := range []string{envFDs, envPID, envNames, envPPID, envPIDFD} {
		os.Unsetenv(name)
	}
}

// Leftover says which of the sockets that this process was started with have not
// been returned by [Listen] or [ListenPacket] so far, and why none could be taken
// although LISTEN_FDS is set. It is nil if there is nothing to say. It leaves out those in
// but, which a program has told of already, as by [Mismatches].
//
// A socket is taken if it has the right type, listens, and is bound to the requested
// address. One that accepts more addresses than were requested is not taken. Of several
// that fit, one whose name is the requested port goes first (FileDescriptorName=https
// for ":https"). A taken socket stays open until this process ends, so that the same
// address can be listened on again, as after a reload.
//
// The rest stays for others, such as another library for socket activation, as after
// sd_listen_fds(0): the descriptors are where they were, close-on-exec, and the
// environment variables are cleared only when every socket has been taken.
//
// If this program has privileges that its starter may lack (AT_SECURE of getauxval(3):
// a file with capabilities or a set-user-ID bit), the starter must not choose what it
// serves on. Then a socket is taken only if it is bound exactly as a bind here would
// be: in the network namespace of the calling thread, and not to an interface (SO_BINDTODEVICE).
func Leftover(but ...Offer) []string {
	take()
	given.Lock()
	defer given.Unlock()
	var notes []string
	if given.trouble != "" {
		notes = append(notes, given.trouble)
	}
	for _, s := range given.sockets {
		if !s.Taken && !slices.Contains(but, s.Offer) {
			notes = append(notes, "inherited and not asked for so far: "+s.String())
		}
	}
	return notes
}
