package drop_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/caps/drop"
	"github.com/lowport/lowport/internal/figures"
	"github.com/lowport/lowport/internal/needs"
	"golang.org/x/sys/unix"
)

// TestStress gives up one capability at a time, 1,000 times over, in processes
// that do everything at once that a drop could trip over.
func TestStress(t *testing.T) {
	needs.Root(t)
	enough := 1000
	if testing.Short() {
		enough = 100
	}
	rounds, threads := 0, 0
	for i := 0; rounds < enough; i++ {
		name := "stress, 20 threads"
		if i == 0 {
			name = "stress, 200 threads"
		}
		cmd := child(t, name)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("after %d rounds: %v\n%s", rounds, err, out)
		}
		var n, read int
		if _, err := fmt.Sscan(string(out), &n, &read); err != nil || n == 0 || read == 0 {
			t.Fatalf("%v\n%s", err, out)
		}
		rounds, threads = rounds+n, threads+read
	}
	figures.Add(t, fmt.Sprintf("drop: %d rounds, %d threads read back, 0 that held what was dropped", rounds, threads))
}

// TestGainsNothing tries what would bring a capability back, had a drop left a
// way.
func TestGainsNothing(t *testing.T) {
	needs.Root(t)
	withCaps, setuid := openCopy(t), openCopy(t)
	// cap_setuid,cap_net_raw=ep: VFS_CAP_REVISION_2 | VFS_CAP_FLAGS_EFFECTIVE
	attr := make([]byte, 20)
	binary.LittleEndian.PutUint32(attr, 0x02000001)
	binary.LittleEndian.PutUint32(attr[4:], 1<<caps.SETUID|1<<caps.NET_RAW)
	if err := unix.Setxattr(withCaps, "security.capability", attr, 0); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(setuid, 0o4755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("LOWPORT_WITH_CAPS", withCaps)
	t.Setenv("LOWPORT_SETUID", setuid)
	for _, name := range []string{"gains nothing", "gains nothing as nobody", "gains nothing without CAP_SETPCAP"} {
		ok(t, child(t, name))
	}
}

func init() {
	children["stress, 20 threads"] = func() error { return stress(20) }
	children["stress, 200 threads"] = func() error { return stress(200) }
	children["gains nothing"] = func() error {
		defer commotion(200)()
		return errors.Join(drop.All(), gainsNothing(0))
	}
	children["gains nothing as nobody"] = func() error {
		defer commotion(200)()
		return errors.Join(drop.ToUser("nobody"), gainsNothing(65534))
	}
	children["gains nothing without CAP_SETPCAP"] = func() error {
		defer commotion(20)()
		// The bounding set stays full: no_new_privs holds alone.
		if err := drop.Except(caps.NET_RAW); err != nil {
			return err
		}
		return errors.Join(drop.All(), gainsNothing(0))
	}
}

func stress(threads int) error {
	stop := commotion(threads)
	defer stop()
	before, err := caps.Self()
	if err != nil {
		return err
	}
	rounds, read, keep := 0, 0, before.Permitted
	for keep != 0 {
		for c := range keep.All() {
			// CAP_SETPCAP goes last: it is what clears the bounding set.
			if c != caps.SETPCAP || keep.Len() == 1 {
				keep = keep.Without(c)
				break
			}
		}
		var list []caps.Cap
		for c := range keep.All() {
			list = append(list, c)
		}
		if err := drop.Except(list...); err != nil {
			return fmt.Errorf("round %d: %w", rounds, err)
		}
		if err := everyThread(func(s caps.State) bool {
			read++
			s.Effective = 0 // a thread may just raise something for itself
			return s == caps.State{Permitted: keep, Bounding: keep, NoNewPrivs: true}
		}); err != nil {
			return fmt.Errorf("round %d: %w", rounds, err)
		}
		rounds++
	}
	fmt.Println(rounds, read)
	return nil
}

// commotion is a process as busy as can be: n locked threads, threads that come
// and go, one that raises a permitted capability for itself, forks, signals and
// garbage collection.
func commotion(n int) (stop func()) {
	lockThreads(n)
	ended := make(chan bool)
	var wg sync.WaitGroup
	again := func(f func()) {
		wg.Go(func() {
			for {
				select {
				case <-ended:
					return
				default:
					f()
					time.Sleep(3 * time.Millisecond)
				}
			}
		})
	}
	usr1 := make(chan os.Signal, 1)
	signal.Notify(usr1, syscall.SIGUSR1)
	again(func() { syscall.Kill(os.Getpid(), syscall.SIGUSR1); <-usr1 })
	again(runtime.GC)
	again(func() {
		done := make(chan bool)
		go func() {
			runtime.LockOSThread() // and never unlocked: the thread ends
			raiseOwn()
			close(done)
		}()
		<-done
	})
	again(func() {
		cmd := exec.Command("/proc/self/exe")
		cmd.Env = []string{"GORACE=atexit_sleep_ms=0", childEnv + "=nothing"}
		if err := cmd.Run(); err != nil {
			fmt.Fprintln(os.Stderr, "fork:", err)
			os.Exit(1)
		}
	})
	return func() { close(ended); wg.Wait() }
}

func init() { children["nothing"] = func() error { return nil } }

// raiseOwn makes all that is permitted effective on this thread: capget(2),
// then capset(2), as a program does that is granted +p. Errors do not matter.
func raiseOwn() {
	hdr := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	if unix.Capget(&hdr, &data[0]) == nil {
		for i := range data {
			data[i].Effective = data[i].Permitted
		}
		unix.Capset(&hdr, &data[0])
	}
}

// gainsNothing tries to do what takes a capability, and to get one.
func gainsNothing(uid int) error {
	if err := everyThread(empty); err != nil {
		return err
	}
	if fd, err := unix.Socket(unix.AF_INET, unix.SOCK_RAW, unix.IPPROTO_ICMP); err != unix.EPERM {
		return fmt.Errorf("raw socket: %d, %v", fd, err)
	}
	if uid != 0 {
		if err := syscall.Setuid(0); err != syscall.EPERM {
			return fmt.Errorf("setuid(0): %v", err)
		}
	}
	for _, exe := range []string{"/proc/self/exe", os.Getenv("LOWPORT_WITH_CAPS"), os.Getenv("LOWPORT_SETUID")} {
		out, err := identity(exec.Command(exe), (*exec.Cmd).Run)
		if errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.EACCES) {
			continue // refused altogether
		}
		if err != nil {
			return fmt.Errorf("%s: %w", exe, err)
		}
		none, id := caps.Set(0).Hex(), fmt.Sprint(uid)
		for _, want := range []string{
			"CapPrm:\t" + none, "CapEff:\t" + none, "CapAmb:\t" + none, "NoNewPrivs:\t1",
			"Uid:" + strings.Repeat("\t"+id, 4) + "\n",
		} {
			if !strings.Contains(out, want) {
				return fmt.Errorf("%s: no %q in\n%s", exe, want, out)
			}
		}
	}
	return nil
}
