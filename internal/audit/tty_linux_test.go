package audit

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"slices"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

func TestParseSeated(t *testing.T) {
	for text, want := range map[string]seated{
		"7 (sh) S 1 7 7 34816 7 4194304\n":            {1, 7, unix.Mkdev(136, 0)},
		"7 (a) (b) S 1 2 3 4) S 5 7 6 0 -1 4194304\n": {5, 6, 0},
		"7 () \n) R 5 7 6 1025 -1 4194304\n":          {5, 6, unix.Mkdev(4, 1)},
		"7 (x) R 5 7 0 1083376 -1 4194304\n":          {5, 0, unix.Mkdev(0x87, 0x1f0)},
		"7 (x) R 5 7 6 -2147448832 -1 4194304\n":      {5, 6, unix.Mkdev(0x88, 0x80000)},
		"7 (x) R 5 7 6 1025 -1 4194304 and cut short": {},
		"7 (x) R 5 7 6\n":                             {}, "7 (x) R 5 7 6 z 1\n": {}, "\n": {}, "": {},
	} {
		got, err := parseSeated([]byte(text))
		if got != want || (err == nil) != (want != seated{}) {
			t.Errorf("%q: %+v, %v, not %+v", text, got, err, want)
		}
	}
}

func TestPtyDevice(t *testing.T) {
	for n, want := range map[uint32]uint64{0: unix.Mkdev(136, 0), 255: unix.Mkdev(136, 255), 256: unix.Mkdev(137, 0), 2047: unix.Mkdev(143, 255)} {
		if got := ptyDevice(n); got != want || !isPty(got) || ptyNumber(got) != n || terminalPath(got) != fmt.Sprintf("/dev/pts/%d", n) {
			t.Errorf("%d: %#x, %#x", n, got, want)
		}
	}
}

func TestTerminalMajors(t *testing.T) {
	got, err := terminalMajors([]byte("/dev/tty             /dev/tty        5       0 system:/dev/tty\nIMX uart  /dev/ttymxc 207 16-23 serial\nunknown /dev/tty 4 1-63 console\n"))
	if want := map[uint32]bool{5: true, 207: true, 4: true}; err != nil || !maps.Equal(got, want) {
		t.Errorf("%v %v", got, err)
	}
	for _, text := range []string{"", "x\n", "a b c d\n"} {
		if got, err := terminalMajors([]byte(text)); err == nil {
			t.Errorf("%q: %v", text, got)
		}
	}
}

func TestParseTyping(t *testing.T) {
	for _, c := range []struct {
		sysctl  string
		absent  bool
		release string
		want    Typing
	}{
		{"", true, "6.1.0-13-amd64", Typing{true, true}}, {"1\n", false, "6.6.7", Typing{true, true}},
		{"0\n", false, "6.6.7", Typing{false, true}}, {"0\n", false, "6.7.0", Typing{}}, {"1\n", false, "10.0", Typing{true, false}},
	} {
		if got, err := parseTyping([]byte(c.sysctl), c.absent, c.release); got != c.want || err != nil {
			t.Errorf("%+v: %+v, %v", c, got, err)
		}
	}
	for _, text := range []string{"", "2", "on"} {
		if got, err := parseTyping([]byte(text), false, "6.7.0"); err == nil {
			t.Errorf("%q: %+v", text, got)
		}
	}
	if got, err := parseTyping([]byte("0"), false, "new"); err == nil {
		t.Errorf("%+v", got)
	}
}

// pseudoterminal opens both ends of a new one.
func pseudoterminal(t *testing.T) (master, slave *os.File) {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { master.Close() })
	if err := unix.IoctlSetPointerInt(int(master.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetUint32(int(master.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	slave, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { slave.Close() })
	return master, slave
}

// A process shares the terminal that controls it, that it has open, or whose other end it has
// open, with one of root that reads there, and another terminal with nobody.
func TestTerminals(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("processes of two users: needs root")
	}
	drivers, err := os.ReadFile("/proc/tty/drivers")
	if err != nil {
		t.Fatal(err)
	}
	majors, err := terminalMajors(drivers)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		attr *syscall.SysProcAttr
		open func(cmd *exec.Cmd, master, slave *os.File)
		want Terminal
	}{
		"controlling": {&syscall.SysProcAttr{Setsid: true, Setctty: true, Ctty: 0}, func(cmd *exec.Cmd, _, slave *os.File) { cmd.Stdin = slave }, Terminal{FD: -1, Controls: true}},
		"descriptor":  {&syscall.SysProcAttr{Setsid: true}, func(cmd *exec.Cmd, _, slave *os.File) { cmd.ExtraFiles = []*os.File{slave} }, Terminal{FD: 3}},
		"other end":   {&syscall.SysProcAttr{Setsid: true}, func(cmd *exec.Cmd, master, _ *os.File) { cmd.ExtraFiles = []*os.File{master} }, Terminal{FD: 3, Master: true}},
		"another":     {&syscall.SysProcAttr{Setsid: true}, func(*exec.Cmd, *os.File, *os.File) {}, Terminal{}},
	} {
		t.Run(name, func(t *testing.T) {
			master, slave := pseudoterminal(t)
			start := func(uid uint32, attr *syscall.SysProcAttr, open func(*exec.Cmd)) int {
				cmd := exec.Command("/bin/sleep", "1000")
				attr.Credential = &syscall.Credential{Uid: uid, Gid: uid}
				cmd.SysProcAttr = attr
				open(cmd)
				if err := cmd.Start(); err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
				return cmd.Process.Pid
			}
			p := start(65534, c.attr, func(cmd *exec.Cmd) { c.open(cmd, master, slave) })
			seat := &syscall.SysProcAttr{Setsid: true, Setctty: !c.want.Controls, Ctty: 0} // a terminal controls one session
			root := start(0, seat, func(cmd *exec.Cmd) { cmd.Stdin = slave })
			r := reader{majors: majors, sitters: &sitters{majors: majors}}
			for _, pid := range []int{p, root} {
				s, err := r.sitters.sitter(pid)
				if err != nil {
					t.Fatal(err)
				}
				r.sitters.all = append(r.sitters.all, s)
			}
			got, err := r.terminals(files{fmt.Sprintf("/proc/%d", p), p})
			if err != nil {
				t.Fatal(err)
			}
			if name == "another" {
				if len(got) != 0 {
					t.Errorf("%+v", got)
				}
				return
			}
			if len(got) != 1 || got[0].FD != c.want.FD || got[0].Controls != c.want.Controls || got[0].Master != c.want.Master || got[0].Path != slave.Name() {
				t.Fatalf("%+v", got)
			}
			if !slices.Equal(got[0].Others, []Sitter{{PID: root, UIDs: IDs{}}}) {
				t.Errorf("%+v, not %d", got[0].Others, root)
			}
		})
	}
}
