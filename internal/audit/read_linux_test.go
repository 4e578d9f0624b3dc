package audit

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/internal/facts"
)

// This process is read as it is.
func TestReadSelf(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	p, err := Read(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	exe, _ := os.Executable()
	if got, ok := p.Path.Is(); !ok || got != exe {
		t.Errorf("path %q, not %q", got, exe)
	}
	if in := slices.ContainsFunc(p.Listens.Value, func(l Listen) bool { return l.Addr.String() == ln.Addr().String() }); !in {
		t.Errorf("%v is not among %+v", ln.Addr(), p.Listens)
	}
	self, _ := caps.Self()
	self.Securebits = 0
	if got := p.Threads.Value[os.Getpid()]; got.Effective != self.Effective || got.UIDs.Effective != uint32(os.Geteuid()) {
		t.Errorf("%+v, not %+v", got, self)
	}
	if p.UserNS.Value.Below || p.UserNS.State != facts.Known || p.Securebits.State != facts.Known {
		t.Errorf("%+v %+v", p.UserNS, p.Securebits)
	}
	if way, ok := p.Way.Is(); ok && (way[0].Path != "/" || way[len(way)-1].Path != exe) {
		t.Errorf("%+v", way)
	}
	for _, f := range Findings(p) {
		_, hides := os.Readlink("/proc/1/exe") // a root that lacks something is not shown all of root's
		if f.ID == "could-not-tell" && os.Geteuid() == 0 && (hides == nil || f.Summary != "could not read: what root runs") {
			t.Errorf("%+v", f)
		}
	}
}

// A socket that a process was given is its own in another network namespace too.
func TestReadGivenSocket(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	file, err := ln.(*net.TCPListener).File()
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	child := exec.Command(os.Args[0], "-test.run=^TestWaiting$")
	child.Env = append(os.Environ(), "LOWPORT_WAITING=1")
	child.ExtraFiles = []*os.File{file}
	child.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNET}
	if err := child.Start(); errors.Is(err, os.ErrPermission) {
		t.Skip("a network namespace: ", err)
	} else if err != nil {
		t.Fatal(err)
	}
	defer child.Wait()
	defer child.Process.Kill()
	p, err := Read(child.Process.Pid)
	if err != nil {
		t.Fatal(err)
	}
	if in := slices.ContainsFunc(p.Listens.Value, func(l Listen) bool { return l.Addr.String() == ln.Addr().String() }); !in {
		t.Errorf("%v is not among %+v", ln.Addr(), p.Listens)
	}
}

// waiting starts this test program from a file, to do nothing until it is killed.
func waiting(t *testing.T, file string) *exec.Cmd {
	t.Helper()
	child := exec.Command(file, "-test.run=^TestWaiting$")
	child.Env = append(os.Environ(), "LOWPORT_WAITING=1")
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	return child
}

func TestWaiting(t *testing.T) {
	if os.Getenv("LOWPORT_WAITING") != "" {
		time.Sleep(time.Hour)
	}
}

// A descriptor of a process that ended does not show the next one with its id.
func TestReadEnded(t *testing.T) {
	child := waiting(t, os.Args[0])
	dir, err := unix.Open(fmt.Sprintf("/proc/%d", child.Process.Pid), unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(dir)
	child.Process.Kill()
	f := files{fmt.Sprintf("/proc/thread-self/fd/%d", dir), child.Process.Pid}
	if err := unix.Waitid(unix.P_PID, child.Process.Pid, nil, unix.WEXITED|unix.WNOWAIT, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := new(reader).steady(f); !errors.Is(err, ErrEnded) {
		t.Errorf("not reaped: %v", err)
	}
	child.Wait()
	if _, err := new(reader).steady(f); !errors.Is(err, ErrEnded) {
		t.Errorf("reaped: %v", err)
	}
	if _, err := Read(child.Process.Pid); !errors.Is(err, ErrEnded) && err != nil {
		t.Errorf("%v", err)
	}
	for _, pid := range []int{0, -1, 1 << 30} {
		if _, err := Read(pid); !errors.Is(err, ErrEnded) {
			t.Errorf("%d: %v", pid, err)
		}
	}
}

// A file may be called as if it were deleted, and one that has another's path is
// not it.
func TestReadNames(t *testing.T) {
	content, err := os.ReadFile(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name          string
		remove, other bool
		deleted       bool
		same          facts.State
	}{
		{"plain", false, false, false, facts.Known},
		{"called (deleted)", false, false, false, facts.Known},
		{"removed", true, false, true, facts.Absent},
		{"replaced", true, true, true, facts.Known},
		{"both (deleted)", true, false, true, facts.Absent},
	} {
		t.Run(c.name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), c.name)
			if err := os.WriteFile(file, content, 0o755); err != nil {
				t.Fatal(err)
			}
			child := waiting(t, file)
			defer child.Wait()
			defer child.Process.Kill()
			if c.remove {
				os.Remove(file)
			}
			if c.other {
				if err := os.WriteFile(file, nil, 0o755); err != nil {
					t.Fatal(err)
				}
			}
			p, err := Read(child.Process.Pid)
			if err != nil {
				t.Fatal(err)
			}
			if p.Path.Value != file || p.Deleted.Value != c.deleted || p.Same.State != c.same || p.Same.Value != !c.deleted || p.Here != !c.deleted {
				t.Errorf("%+v %+v %+v %v", p.Path, p.Deleted, p.Same, p.Here)
			}
			found := slices.ContainsFunc(Findings(p), func(f Finding) bool { return f.ID == "replaced-executable" })
			if found != c.deleted {
				t.Errorf("found: %v", found)
			}
		})
	}
}

// Every process is there, and none of the kernel's.
func TestReadAll(t *testing.T) {
	seen := map[int]bool{}
	for p, err := range ReadAll() {
		if err != nil {
			if !errors.Is(err, ErrHidden) {
				t.Error(err)
			}
			continue
		}
		if seen[p.PID] {
			t.Errorf("%d twice", p.PID)
		}
		seen[p.PID] = true
		if strings.HasPrefix(p.Name.Value, "kworker/") {
			t.Errorf("%d is %s", p.PID, p.Name.Value)
		}
	}
	if !seen[os.Getpid()] {
		t.Error("this process is not there")
	}
	for range ReadAll() {
		break // ends
	}
}

// A process that has left a network namespace, or ended, does not say what is in it.
func TestLeftNamespace(t *testing.T) {
	f := files{"/proc/thread-self", os.Getpid()}
	r := new(reader)
	if got := r.table(f, "net:[1]"); got.State != facts.Unreadable || len(r.tables) != 0 {
		t.Errorf("%+v, remembered %v", got, r.tables)
	}
	if got := r.start(f, "net:[1]"); got.State != facts.Unreadable || len(r.starts) != 0 {
		t.Errorf("%+v, remembered %v", got, r.starts)
	}
	ns, err := os.Readlink("/proc/thread-self/ns/net")
	if err != nil {
		t.Fatal(err)
	}
	if got := r.table(f, ns); got.State != facts.Known || len(r.tables) != 1 {
		t.Errorf("%+v, remembered %v", got, r.tables)
	}
}

// Nor one whose /dev is full; an empty one is none the less read.
func TestFullDev(t *testing.T) {
	root := t.TempDir()
	if err := os.Mkdir(root+"/dev", 0o755); err != nil {
		t.Fatal(err)
	}
	fd, err := unix.Open(root, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	if got, err := disks(fd, 1); len(got) != 0 || err != nil {
		t.Errorf("%+v, %v", got, err)
	}
	for _, name := range []string{"sda", "sdb", "null"} {
		if err := os.WriteFile(root+"/dev/"+name, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := disks(fd, 3); len(got) != 2 || err != nil {
		t.Errorf("%+v, %v", got, err)
	}
	if got, err := disks(fd, 2); err == nil {
		t.Errorf("%+v", got)
	}
}

// A process that makes threads without end cannot keep the reader for ever.
func TestPasses(t *testing.T) {
	n := noting{files{"/proc/thread-self", os.Getpid()}, map[int][]byte{}, new(int)}
	for range passes {
		if _, err := n.ReadDir(fmt.Sprintf("%d/attr", os.Getpid())); err != nil {
			t.Skip(err) // what is listed does not matter
		}
	}
	if _, err := n.ReadDir(fmt.Sprintf("%d/attr", os.Getpid())); err == nil {
		t.Error("no end")
	}
}

// A socket is found where an image has no link from /var/run to /run, and once where
// there is one.
func TestVarRun(t *testing.T) {
	for _, link := range []bool{false, true} {
		root := t.TempDir()
		if err := os.MkdirAll(root+"/var/run", 0o755); err != nil {
			t.Fatal(err)
		}
		want := []string{"/var/run/docker.sock"}
		if link {
			want = []string{"/run/docker.sock"}
			if err := errors.Join(os.Rename(root+"/var/run", root+"/run"), os.Symlink("/run", root+"/var/run")); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.WriteFile(root+want[0], nil, 0o666); err != nil {
			t.Fatal(err)
		}
		fd, err := unix.Open(root, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer unix.Close(fd)
		var got []string
		r := newDoorReader(fd)
		err = r.standard()
		for _, d := range r.all {
			if strings.HasSuffix(d.Path, ".sock") {
				got = append(got, d.Path)
			}
		}
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%v, %v, not %v", got, err, want)
		}
	}
}

// In a sticky folder of root nobody replaces what is there, but anybody makes what is not.
func TestStickyAbove(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root: a sticky folder of another owner is that owner's")
	}
	root := t.TempDir()
	local := root + "/usr/local"
	err := errors.Join(os.MkdirAll(local+"/bin", 0o755), os.MkdirAll(local+"/lib", 0o755), os.Chmod(local, 0o777|os.ModeSticky))
	if err != nil {
		t.Fatal(err)
	}
	fd, err := unix.Open(root, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	found := func() bool {
		r := newDoorReader(fd)
		if err := errors.Join(r.above("/usr/local/bin/x", ""), r.above("/usr/local/sbin/x", ""), r.above("/usr/local/lib/x", "")); err != nil {
			t.Fatal(err)
		}
		return slices.ContainsFunc(r.all, func(d *Door) bool { return d.Path == "/usr/local" })
	}
	if !found() {
		t.Error("sbin is missing, and /usr/local no door")
	}
	if err := os.Mkdir(local+"/sbin", 0o755); err != nil {
		t.Fatal(err)
	}
	if found() {
		t.Error("all is there, and /usr/local a door")
	}
}

// In a child the first thread ends, and the others when there is no more to read.
func init() {
	if os.Getenv("LOWPORT_WAITING") == "others" {
		go func() {
			io.Copy(io.Discard, os.Stdin)
			os.Exit(0)
		}()
		unix.Syscall(unix.SYS_EXIT, 0, 0, 0)
	}
}

// A process whose first thread has ended, and all others do meanwhile, is none of
// which too little could be read.
func TestReadEnding(t *testing.T) {
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), "LOWPORT_WAITING=others")
	more, err := child.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	defer child.Wait()
	defer child.Process.Kill()
	for {
		status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", child.Process.Pid))
		if err != nil {
			t.Fatal(err)
		}
		if threadEnded(status) {
			break
		}
	}
	r := new(reader)
	r.waits = patience // no more
	if p, err := r.process(child.Process.Pid); err != nil || p.Path.State != facts.Unreadable {
		t.Errorf("the others go on: %+v, %v", p.Path, err)
	}
	time.AfterFunc(50*time.Millisecond, func() { more.Close() })
	if p, err := Read(child.Process.Pid); !errors.Is(err, ErrEnded) {
		t.Errorf("%+v, %v", p.Path, err)
	}
}
