package audit

import (
	"errors"
	"fmt"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/lowport/lowport/internal/facts"
	"github.com/lowport/lowport/internal/task"
)

// A tty is a terminal as one process has it. Each devpts has numbers of its own.
type tty struct {
	dev, devpts uint64 // devpts is 0 where it is not known, and for what is no pseudoterminal
	session     int    // whose controlling terminal it is, as far as known
	Terminal
}

// same reports whether it may be the terminal of that device.
func (t tty) same(dev, devpts uint64) bool {
	return dev == t.dev && (!isPty(dev) || t.devpts == 0 || devpts == 0 || t.devpts == devpts)
}

// A sitter is a process with a terminal as its controlling one or its standard input.
type sitter struct {
	seated
	Sitter
	in               uint64 // the terminal that is its standard input, or 0
	devpts, inDevpts uint64
}

// sitters are all of them, once they are needed.
type sitters struct {
	majors map[uint32]bool // of terminals
	all    []sitter
	unread error
}

// errSession is of a controlling terminal whose session is not seen.
var errSession = errors.New("its session began in another PID namespace")

// errOldTTY is of a descriptor of /dev/tty in a process without a controlling terminal.
var errOldTTY = errors.New("a descriptor of /dev/tty is of a terminal that is not known")

// terminals reads those that a process shares.
func (r *reader) terminals(f files) ([]Terminal, error) {
	if r.majors == nil {
		b, err := os.ReadFile("/proc/tty/drivers")
		if err != nil {
			return nil, err
		}
		if r.majors, err = terminalMajors(b); err != nil {
			return nil, err
		}
	}
	own, err := f.terminals(r.majors)
	if err != nil || len(own) == 0 {
		return nil, err
	}
	if r.sitters == nil {
		r.sitters = readSitters(r.majors)
	}
	if r.sitters.unread != nil {
		return nil, r.sitters.unread
	}
	uids, err := f.uids()
	if err != nil {
		return nil, err
	}
	handing, err := handing(f.pid)
	if err != nil {
		return nil, err
	}
	var all []Terminal
	for _, t := range own {
		nobodys := true
		for _, s := range r.sitters.all {
			at := t.session != 0 && s.session == t.session && s.tty == t.dev
			if t.session == 0 {
				at = s.tty != 0 && t.same(s.tty, s.devpts)
				nobodys = nobodys && !at
			}
			at = at || s.in != 0 && t.same(s.in, s.inDevpts)
			theirs := !s.UIDs.has(uids.Real) || s.UIDs.has(0)
			if at && theirs && s.PID != f.pid && s.PID != os.Getpid() && !slices.Contains(handing, s.PID) {
				t.Others = append(t.Others, s.Sitter)
			}
		}
		t.Controls = t.Controls || nobodys && !t.Master // setsid(2), TIOCSCTTY
		all = append(all, t.Terminal)
	}
	return all, nil
}

func (f files) uids() (IDs, error) {
	status, err := f.read("status")
	if err != nil {
		return IDs{}, err
	}
	return parseIDs(status, "Uid")
}

func (f files) seated() (seated, error) {
	stat, err := f.read("stat")
	if err != nil {
		return seated{}, err
	}
	return parseSeated(stat)
}

// terminals returns those of the process, each way to one once.
func (f files) terminals(majors map[uint32]bool) (all []tty, err error) {
	s, err := f.seated()
	if err != nil {
		return nil, err
	}
	if s.tty != 0 && s.session == 0 {
		return nil, errSession
	}
	if s.tty != 0 {
		t := Terminal{Path: terminalPath(s.tty), FD: -1, Controls: true, Virtual: isVirtual(s.tty)}
		all = append(all, tty{s.tty, f.devpts(s.tty), s.session, t})
	}
	dir, err := task.Open(f.path("fd"))
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	fds, err := dir.IDs(nil)
	if err != nil {
		return nil, err
	}
	for _, fd := range fds {
		t, ok, err := f.terminal(fd, majors, s)
		if gone(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		had := func(o tty) bool { return o.dev == t.dev && o.devpts == t.devpts && o.Master == t.Master }
		if ok && !slices.ContainsFunc(all, had) {
			all = append(all, t)
		}
	}
	return all, nil
}

// terminal returns the terminal that a descriptor is open to read, or either end of.
func (f files) terminal(fd int, majors map[uint32]bool, s seated) (t tty, ok bool, err error) {
	name := "fd/" + strconv.Itoa(fd)
	link, err := os.Readlink(f.path(name))
	if err != nil || !strings.HasPrefix(link, "/") {
		return t, false, err
	}
	var st unix.Stat_t
	if err := unix.Stat(f.path(name), &st); err != nil {
		return t, false, err
	}
	dev := uint64(st.Rdev)
	if st.Mode&unix.S_IFMT != unix.S_IFCHR || !majors[unix.Major(dev)] {
		return t, false, nil
	}
	flags, err := f.flags(fd)
	if err != nil || flags&unix.O_PATH != 0 {
		return t, false, err
	}
	t.FD = fd
	switch dev {
	case unix.Mkdev(5, 2):
		return f.master(t, uint64(st.Dev))
	case unix.Mkdev(5, 0):
		if s.tty == 0 {
			err = errOldTTY
		}
		return t, false, err // else it is the controlling one
	case unix.Mkdev(5, 1):
		if dev, err = console(); err != nil {
			return t, false, err
		}
	}
	if flags&unix.O_ACCMODE == unix.O_WRONLY {
		return t, false, nil // it neither reads nor becomes a controlling terminal
	}
	if isPty(dev) {
		t.devpts = uint64(st.Dev)
	}
	if t.dev = dev; dev == s.tty && t.same(s.tty, f.devpts(s.tty)) {
		t.session, t.Controls = s.session, true
	}
	t.Path, t.Virtual = terminalPath(dev), isVirtual(dev)
	return t, true, nil
}

// master returns the pseudoterminal of a descriptor of /dev/ptmx, which lies in the devpts or
// beside it (devpts_acquire).
func (f files) master(t tty, of uint64) (tty, bool, error) {
	b, err := f.read("fdinfo/" + strconv.Itoa(t.FD))
	if err != nil {
		return t, false, err
	}
	words, err := field(b, "tty-index")
	if err != nil || len(words) != 1 {
		return t, false, fmt.Errorf("fdinfo: tty-index: %v, %w", words, err)
	}
	n, err := strconv.ParseUint(words[0], 10, 11)
	if err != nil {
		return t, false, err
	}
	t.dev, t.Master = ptyDevice(uint32(n)), true
	t.Path = terminalPath(t.dev)
	t.devpts = of
	var fs unix.Statfs_t
	if err := unix.Statfs(f.path("fd/"+strconv.Itoa(t.FD)), &fs); err != nil || fs.Type != unix.DEVPTS_SUPER_MAGIC {
		t.devpts = f.devpts(t.dev)
	}
	return t, true, nil
}

// devpts is that of the /dev/pts/N which the process sees, 0 if that is another device.
func (f files) devpts(dev uint64) uint64 {
	var st unix.Stat_t
	if !isPty(dev) || unix.Stat(f.path("root"+terminalPath(dev)), &st) != nil || uint64(st.Rdev) != dev {
		return 0
	}
	return uint64(st.Dev)
}

// console is the device that /dev/console is: console_device.
func console() (uint64, error) {
	name := "console"
	for range 3 { // "tty0" is one of "tty1" and on
		b, err := os.ReadFile("/sys/class/tty/" + name + "/active")
		if gone(err) && name != "console" {
			break
		}
		words := strings.Fields(string(b))
		if err != nil || len(words) == 0 {
			return 0, fmt.Errorf("/sys/class/tty/%s/active: %w", name, firstError(err, errReason("empty")))
		}
		name = path.Base(words[len(words)-1])
	}
	b, err := os.ReadFile("/sys/class/tty/" + name + "/dev")
	if err != nil {
		return 0, err
	}
	var major, minor uint32
	if _, err := fmt.Sscanf(string(b), "%d:%d", &major, &minor); err != nil {
		return 0, fmt.Errorf("/sys/class/tty/%s/dev: %w", name, err)
	}
	return unix.Mkdev(major, minor), nil
}

// readSitters reads who is at a terminal, of all processes but those that hand the terminal
// of the reader on.
func readSitters(majors map[uint32]bool) *sitters {
	r := &sitters{majors: majors}
	if r.unread = hidden(); r.unread == nil {
		r.unread = r.read()
	}
	return r
}

func (r *sitters) read() error {
	proc, err := task.Open("/proc")
	if err != nil {
		return err
	}
	defer proc.Close()
	pids, err := proc.IDs(nil)
	if err != nil {
		return err
	}
	handing, err := handing(os.Getpid())
	if err != nil {
		return err
	}
	for _, pid := range pids {
		if slices.Contains(handing, pid) {
			continue
		}
		s, err := r.sitter(pid)
		if gone(err) {
			continue
		}
		if err != nil {
			return fmt.Errorf("of process %d: %w", pid, err)
		}
		if s.tty != 0 || s.in != 0 {
			r.all = append(r.all, s)
		}
	}
	return nil
}

func (r *sitters) sitter(pid int) (s sitter, err error) {
	f := files{fmt.Sprintf("/proc/%d", pid), pid}
	if s.seated, err = f.seated(); err != nil {
		return s, err
	}
	s.PID = pid
	var st unix.Stat_t
	err = unix.Stat(f.path("fd/0"), &st)
	if err != nil && !gone(err) {
		return s, err
	}
	if dev := uint64(st.Rdev); err == nil && st.Mode&unix.S_IFMT == unix.S_IFCHR && r.majors[unix.Major(dev)] {
		switch s.in, s.inDevpts = dev, uint64(st.Dev); dev {
		case unix.Mkdev(5, 0):
			s.in = s.tty
		case unix.Mkdev(5, 1):
			if s.in, err = console(); err != nil {
				return s, err
			}
		}
	}
	if s.tty == 0 && s.in == 0 {
		return s, nil
	}
	if s.tty != 0 {
		s.devpts = f.devpts(s.tty)
	}
	s.UIDs, err = f.uids()
	return s, err
}

// handers are programs that start another as another user and wait for it: from the terminal
// they read for it alone, at a terminal of its own, or not at all.
var handers = []string{"sudo", "su", "doas", "runuser"}

// handing returns the processes that a process comes from, one from the other, which only wait
// for it.
func handing(pid int) (all []int, err error) {
	for range 1 << 10 {
		f := files{fmt.Sprintf("/proc/%d", pid), pid}
		s, err := f.seated()
		if gone(err) || err == nil && s.parent <= 1 {
			return all, nil
		}
		if err != nil {
			return nil, err
		}
		pid = s.parent
		exe, err := os.Readlink(fmt.Sprintf("/proc/%d/exe", pid))
		if gone(err) {
			continue
		}
		if err != nil && !errors.Is(err, unix.EACCES) {
			return nil, err
		}
		if slices.Contains(handers, path.Base(exe)) {
			all = append(all, pid)
		}
	}
	return all, nil
}

func readTyping() facts.Fact[Typing] {
	const sysctl = "/proc/sys/dev/tty/legacy_tiocsti"
	return fact(sysctl, func() (Typing, error) {
		b, err := os.ReadFile(sysctl)
		if err != nil && !gone(err) {
			return Typing{}, err
		}
		var u unix.Utsname
		if err := unix.Uname(&u); err != nil {
			return Typing{}, err
		}
		return parseTyping(b, err != nil, unix.ByteSliceToString(u.Release[:]))
	})
}
