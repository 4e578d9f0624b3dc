//go:build linux

package bench

import (
	"errors"
	"fmt"
	"math"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/lowport/lowport/guard"
	"github.com/lowport/lowport/internal/needs"
)

// A refusal is counted in system calls, by strace(1), in namespaces of its own: how busy the
// machine is does not matter. The test binary is executed again, with such as "mounts 50 :443
// /tmp/x" in crowdEnv: it fills the namespaces, then executes itself as an ordinary user under
// strace, with refuseEnv.
const (
	crowdEnv  = "LOWPORT_BENCH_CROWD"
	refuseEnv = "LOWPORT_BENCH_REFUSE"
)

func init() {
	var kind, address, trace string
	var n int
	if _, err := fmt.Sscanf(os.Getenv(crowdEnv), "%q %d %s %s", &kind, &n, &address, &trace); err == nil {
		exitIf(crowd(kind, n, address, trace))
	}
	if _, err := fmt.Sscan(os.Getenv(refuseEnv), &n, &address); err == nil {
		moreThreads(n)
		if ln, err := net.Listen("tcp", "127.0.0.1:0"); err == nil { // package net asks once what the kernel has
			ln.Close()
		}
		unix.Close(started) // strace shows it
		ln, err := guard.Bind(address)
		unix.Close(ended)
		if ln != nil || err == nil {
			exitIf(errors.New("the bind was not refused"))
		}
		os.Exit(0)
	}
}

const (
	started = -1001 // no descriptor
	ended   = -1002
)

func exitIf(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// crowd fills the namespaces of this process with n of a kind, and traces a refusal.
func crowd(kind string, n int, address, trace string) error {
	if out, err := exec.Command("ip", "link", "set", "lo", "up").CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	threads := 0
	var others []*os.Process
	switch kind {
	case "mounts":
		for i := range n {
			at := filepath.Join(filepath.Dir(trace), fmt.Sprint(i))
			if err := errors.Join(os.Mkdir(at, 0o755), unix.Mount("none", at, "tmpfs", 0, "size=4k")); err != nil {
				return err
			}
		}
	case "listeners":
		for i := range n {
			ln, err := net.Listen("tcp4", fmt.Sprintf("127.0.%d.1:443", i+1))
			if err != nil {
				return err
			}
			defer ln.Close()
		}
	case "other sockets":
		for range n {
			ln, err := net.Listen("tcp4", "127.0.0.1:0")
			if err != nil {
				return err
			}
			defer ln.Close()
		}
	case "addresses":
		var batch strings.Builder
		for i := range n {
			fmt.Fprintf(&batch, "addr add 10.1.%d.1/32 dev lo\n", i)
		}
		ip := exec.Command("ip", "-batch", "-")
		ip.Stdin = strings.NewReader(batch.String())
		if out, err := ip.CombinedOutput(); err != nil {
			return fmt.Errorf("%w: %s", err, out)
		}
	case "processes":
		for range n {
			other := exec.Command("sleep", "1000")
			if err := other.Start(); err != nil {
				return err
			}
			others = append(others, other.Process)
		}
	case "threads":
		threads = n
	default:
		return errors.New("no such kind: " + kind)
	}
	noise := "trace=!futex,nanosleep,sched_yield,epoll_pwait,clone,clone3,rt_sigprocmask,rt_sigaction,rt_sigreturn," +
		"sigaltstack,gettid,sched_getaffinity,getpid,tgkill,mmap,munmap,madvise,mprotect" // of the Go runtime, at any time
	cmd := exec.Command("strace", "-D", "-f", "-e", noise, "-e", "signal=none", "-o", trace, // -D: no parent of the program
		"setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", os.Args[0])
	cmd.Env = append(os.Environ(), crowdEnv+"=", fmt.Sprintf("%s=%d %s", refuseEnv, threads, address))
	cmd.Stderr = os.Stderr
	err := cmd.Run()
	for _, other := range others {
		other.Kill()
	}
	for gone := error(nil); gone == nil; { // strace is a child of process 1, which this is
		_, gone = unix.Wait4(-1, nil, 0, nil)
	}
	return err
}

// refusalCalls counts the system calls of a refusal beside n of a kind: the least of some runs,
// since the Go runtime now and then starts a thread more, whose status is read too.
func refusalCalls(t testing.TB, kind string, n int, address string) int {
	t.Helper()
	least := math.MaxInt
	for range 5 {
		least = min(least, oneRefusal(t, kind, n, address))
	}
	return least
}

func oneRefusal(t testing.TB, kind string, n int, address string) int {
	t.Helper()
	dir := t.TempDir()
	for _, open := range []string{dir, filepath.Dir(dir)} { // for the ordinary user
		if err := os.Chmod(open, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	program, trace := filepath.Join(dir, "refused"), filepath.Join(dir, "trace")
	if err := os.Link(testBinary(t), program); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("unshare", "--net", "--mount", "--pid", "--fork", "--mount-proc", program)
	cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%q %d %s %s", crowdEnv, kind, n, address, trace))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s %d: %v\n%s", kind, n, err, out)
	}
	b, err := os.ReadFile(trace)
	if err != nil {
		t.Fatal(err)
	}
	// Without the bracket, which strace writes later if another thread comes between.
	_, after, ok := strings.Cut(string(b), fmt.Sprintf("close(%d", started))
	during, _, ok2 := strings.Cut(after, fmt.Sprintf("close(%d", ended))
	if !ok || !ok2 {
		t.Fatalf("strace shows no refusal:\n%s", b)
	}
	return len(call.FindAllString(during, -1))
}

// call is the begin of a system call in what strace -f writes.
var call = regexp.MustCompile(`(?m)^\d+ +\w+\(`)

// testBinary returns a copy of this program that every user may execute, made once.
func testBinary(t testing.TB) string {
	t.Helper()
	if copied != "" {
		return copied
	}
	b, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.CreateTemp("", "lowport-bench")
	if err != nil {
		t.Fatal(err)
	}
	if _, err = f.Write(b); err == nil {
		err = errors.Join(f.Chmod(0o755), f.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
	copied = f.Name()
	t.Cleanup(func() { os.Remove(copied); copied = "" })
	return copied
}

var copied string

// A growth is how the system calls of a refusal may grow, by the number of something.
var growths = []struct {
	kind, address string
	each          float64 // system calls for each, at most
}{
	{"mounts", ":443", 0.15}, // one for each 4 kB of mountinfo
	{"listeners", ":443", 0.15},
	{"other sockets", ":443", 0.15},
	{"addresses", "10.1.0.1:443", 0.15},
	{"threads", ":443", 3.15}, // openat, read and close
	{"processes", ":443", 0.15},
}

// TestCalls counts the system calls of a refusal: in the plain case, and that they grow no
// faster than what there is to look at.
func TestCalls(t *testing.T) {
	needs.Root(t, "strace", "unshare", "setpriv", "ip")
	if plain := refusalCalls(t, "threads", 0, ":443"); plain > 300 {
		t.Errorf("a refusal takes %d system calls", plain)
	} else {
		t.Logf("a refusal: %d system calls", plain)
	}
	for _, g := range growths {
		const n = 60
		once, twice := refusalCalls(t, g.kind, n, g.address), refusalCalls(t, g.kind, 2*n, g.address)
		each := float64(twice-once) / n
		t.Logf("%s: %d for %d, %d for %d: %.2f each", g.kind, once, n, twice, 2*n, each)
		if each > g.each {
			t.Errorf("%s: %.2f system calls for each, more than %.2f", g.kind, each, g.each)
		}
	}
}
