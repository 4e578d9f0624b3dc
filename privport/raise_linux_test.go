package privport_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/internal/needs"
	"github.com/lowport/lowport/privport"
)

// Each case runs in a child: the test binary again, as a user without privilege
// in a network namespace of its own where every port is free, with
// cap_net_bind_service permitted and not effective, or with nothing.
const childEnv = "LOWPORT_PRIVPORT_CHILD"

func TestMain(m *testing.M) {
	name := os.Getenv(childEnv)
	if name == "" {
		// A parent may have left these to all of its children, as an editor does.
		os.Unsetenv("LISTEN_FDS")
		os.Unsetenv("LISTEN_PID")
		os.Exit(m.Run())
	}
	time.AfterFunc(5*time.Minute, func() { panic("stuck: " + name) })
	if err := children[name](); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

var children = map[string]func() error{
	"raised":        raised,
	"own thread":    ownThread,
	"panic":         panics,
	"goexit":        goexits,
	"lets go":       letsGo,
	"not lowered":   notLowered,
	"namespace":     inNamespace,
	"main thread":   mainThread,
	"locked main":   lockedMain,
	"concurrent":    concurrent,
	"threads end":   threadsEnd,
	"in use":        inUse,
	"not permitted": notPermitted,
	"own network": func() error {
		own, err := privport.OwnNetwork()
		fmt.Print(own)
		return err
	},
}

func TestRaise(t *testing.T) {
	with := stampedCopy(t, caps.File{Version: 2, Permitted: caps.SetOf(caps.NET_BIND_SERVICE)})
	for _, name := range []string{
		"raised", "own thread", "panic", "goexit", "lets go", "not lowered",
		"main thread", "locked main", "concurrent", "threads end", "in use",
	} {
		t.Run(name, func(t *testing.T) { run(t, with, name) })
	}
	t.Run("namespace", func(t *testing.T) {
		both := caps.SetOf(caps.NET_BIND_SERVICE, caps.SYS_ADMIN)
		run(t, stampedCopy(t, caps.File{Version: 2, Permitted: both}), "namespace")
	})
	t.Run("not permitted", func(t *testing.T) { run(t, stampedCopy(t, caps.File{}), "not permitted") })
}

func run(t *testing.T, exe, name string) {
	t.Helper()
	cmd := exec.Command(exe)
	cmd.Dir = "/"
	cmd.Env = append(os.Environ(), childEnv+"="+name)
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Credential: &syscall.Credential{Uid: 65534, Gid: 65534},
		Cloneflags: syscall.CLONE_NEWNET,
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// stampedCopy copies the test binary where any user can execute it, with file
// capabilities. That takes root.
func stampedCopy(t *testing.T, file caps.File) string {
	t.Helper()
	needs.Root(t) // to stamp a file
	b, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "privport")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	exe := filepath.Join(dir, "privport.test")
	if err := errors.Join(os.Chmod(dir, 0o755), os.WriteFile(exe, b, 0o755), os.Chmod(exe, 0o755)); err != nil {
		t.Fatal(err)
	}
	if file.Version != 0 {
		// struct vfs_cap_data of revision 2: no effective bit, permitted below 32.
		attr := make([]byte, 20)
		attr[3] = 2
		binary.LittleEndian.PutUint32(attr[4:], uint32(file.Permitted))
		if err := unix.Setxattr(exe, "security.capability", attr, 0); err != nil {
			t.Fatal(err)
		}
		if got, err := caps.ReadFile(exe); err != nil || got != file {
			t.Fatalf("stamped %v, got %v, %v", file, got, err)
		}
	}
	return exe
}

// lowered checks that no thread has the capability effective, that all still
// have it permitted, and that the main thread is among them.
func lowered() error {
	all, err := caps.Threads(os.Getpid())
	if err != nil {
		return err
	}
	if _, ok := all[os.Getpid()]; !ok {
		return fmt.Errorf("the main thread is gone: %v", all)
	}
	for tid, s := range all {
		if s.Effective != 0 || s.Permitted != caps.SetOf(caps.NET_BIND_SERVICE) {
			return fmt.Errorf("thread %d has effective %q, permitted %q", tid, s.Effective, s.Permitted)
		}
	}
	return nil
}

// listen takes a privileged port, and checks that it was raised for and that
// nothing of it stays.
func listen(port int) error {
	if err := lowered(); err != nil {
		return fmt.Errorf("before: %w", err)
	}
	ln, via, err := privport.Listen(context.Background(), "tcp4", "127.0.0.1:"+strconv.Itoa(port))
	if err != nil {
		return err
	}
	defer ln.Close()
	if got := ln.Addr().(*net.TCPAddr).Port; via != privport.Raised || got != port {
		return fmt.Errorf("port %d by way of %q", got, via)
	}
	return lowered()
}

func raised() error { return listen(443) }

var bindService = caps.SetOf(caps.NET_BIND_SERVICE)

// effective is the effective set of the calling thread.
func effective() caps.Set {
	s, err := caps.Self()
	if err != nil {
		panic(err)
	}
	return s.Effective
}

// ownThread calls f on the thread of the caller, with the capability effective there
// and on no other thread.
func ownThread() error {
	before := runtime.NumGoroutine()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	thread := unix.Gettid()
	want := errors.New("of f")
	err := privport.Raise(bindService, func() error {
		all, err := caps.Threads(os.Getpid())
		if err != nil {
			return err
		}
		for tid, s := range all {
			if (s.Effective != 0) != (tid == thread) {
				return fmt.Errorf("thread %d of %d has effective %q", tid, thread, s.Effective)
			}
		}
		if unix.Gettid() != thread || runtime.NumGoroutine() != before {
			return fmt.Errorf("on thread %d, not %d", unix.Gettid(), thread)
		}
		// What is effective already stays so.
		if err := privport.Raise(bindService, func() error { return nil }); err != nil || effective() != bindService {
			return fmt.Errorf("raised twice: %q, %v", effective(), err)
		}
		return want
	})
	if err != want {
		return err
	}
	called := false
	err = privport.Raise(caps.SetOf(caps.NET_BIND_SERVICE, caps.NET_ADMIN), func() error { called = true; return nil })
	var failed *privport.RaiseError
	if called || !errors.As(err, &failed) || failed.Lower || failed.Set != caps.SetOf(caps.NET_ADMIN) || !errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("called %t: %v", called, err)
	}
	return lowered()
}

func panics() (err error) {
	defer func() {
		if got := recover(); got != "of f" {
			err = fmt.Errorf("recovered %v", got)
		} else {
			err = lowered()
		}
	}()
	privport.Raise(bindService, func() error { panic("of f") })
	return errors.New("Raise returned")
}

func goexits() error {
	returned := false
	done := make(chan error)
	go func() {
		defer func() { done <- lowered() }()
		privport.Raise(bindService, func() error { runtime.Goexit(); return nil })
		returned = true
	}()
	if err := <-done; err != nil || returned {
		return fmt.Errorf("returned %t, %v", returned, err)
	}
	return nil
}

// letsGo has a function that gives the capability up by itself, for good.
func letsGo() error {
	runtime.LockOSThread()
	err := privport.Raise(bindService, func() error {
		header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
		return unix.Capset(&header, &make([]unix.CapUserData, 2)[0])
	})
	if err != nil {
		return err
	}
	if s, err := caps.Self(); err != nil || s.Permitted != 0 {
		return fmt.Errorf("has %q permitted, %v", s.Permitted, err)
	}
	return nil
}

// notLowered has a function after which capset(2) is refused, by a seccomp filter of
// its thread. Nothing but the goroutine that raised runs on that thread then.
func notLowered() error {
	thread := make(chan int)
	failure := make(chan error)
	end := make(chan bool)
	go func() {
		err := privport.Raise(bindService, func() error { return refuse(unix.SYS_CAPSET) })
		failure <- err
		thread <- unix.Gettid()
		<-end
	}()
	var failed *privport.RaiseError
	if err := <-failure; !errors.As(err, &failed) || !failed.Lower || !errors.Is(err, unix.EPERM) || failed.Set != bindService {
		return fmt.Errorf("not lowered: %v", err)
	}
	raised := <-thread
	var wg sync.WaitGroup
	used := make([]bool, 200)
	for i := range used {
		wg.Go(func() {
			runtime.LockOSThread() // each on a thread of its own
			defer runtime.UnlockOSThread()
			used[i] = unix.Gettid() == raised
			time.Sleep(time.Millisecond)
		})
	}
	wg.Wait()
	if slices.Contains(used, true) {
		return errors.New("another goroutine ran on the thread")
	}
	if raised == os.Getpid() {
		return nil // the runtime parks the first thread and never uses it again
	}
	end <- true
	for { // TestMain knows when to give up
		all, err := caps.Threads(os.Getpid())
		if err != nil {
			return err
		}
		if _, there := all[raised]; !there {
			return lowered()
		}
		time.Sleep(time.Millisecond)
	}
}

// refuse has the kernel refuse a system call to the calling thread from now on.
func refuse(call uint32) error {
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return err
	}
	code := []unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS}, // seccomp_data.nr
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: call, Jf: 1},
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ERRNO | uint32(unix.EPERM)},
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW},
	}
	filter := unix.SockFprog{Len: uint16(len(code)), Filter: &code[0]}
	_, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, 0, uintptr(unsafe.Pointer(&filter)))
	if errno != 0 {
		return errno
	}
	return nil
}

// inNamespace enters another network namespace on its own thread, and binds there
// what is free there and taken in the first one.
func inNamespace() error {
	taken, _, err := privport.Listen(context.Background(), "tcp4", "127.0.0.1:443")
	if err != nil {
		return err
	}
	defer taken.Close()
	runtime.LockOSThread() // for good
	if err := privport.Raise(caps.SetOf(caps.SYS_ADMIN), func() error { return unix.Unshare(unix.CLONE_NEWNET) }); err != nil {
		return err
	}
	// lo is down there, which keeps no IPv4 bind from it.
	for _, address := range []string{"127.0.0.1:443", "localhost:443"} {
		ln, via, err := privport.Listen(context.Background(), "tcp", address)
		if err != nil || via != privport.Raised {
			return fmt.Errorf("%s by way of %q: %v", address, via, err)
		}
		own, err := netCookie(ln.(*net.TCPListener))
		first, err2 := netCookie(taken.(*net.TCPListener))
		if err = errors.Join(err, err2, ln.Close()); err != nil || own == first {
			return fmt.Errorf("%s: network namespaces %d and %d: %v", address, own, first, err)
		}
	}
	return nil
}

// netCookie identifies the network namespace of a socket.
func netCookie(ln *net.TCPListener) (cookie uint64, err error) {
	raw, err := ln.SyscallConn()
	if err != nil {
		return 0, err
	}
	errControl := raw.Control(func(fd uintptr) {
		cookie, err = unix.GetsockoptUint64(int(fd), unix.SOL_SOCKET, unix.SO_NETNS_COOKIE)
	})
	return cookie, errors.Join(err, errControl)
}

// With one processor the goroutine that raises begins on the thread of its
// maker, which here is the main one.
func mainThread() error {
	runtime.GOMAXPROCS(1)
	for range 50 {
		if err := listen(443); err != nil {
			return err
		}
	}
	return nil
}

// The runtime has the main goroutine on the main thread while packages are
// initialized, and afterwards only where one of them has locked it there.
func init() {
	if os.Getenv(childEnv) == "locked main" {
		runtime.LockOSThread()
	}
}

func lockedMain() error {
	if unix.Gettid() != unix.Getpid() {
		return errors.New("the main goroutine is not on the main thread")
	}
	return listen(443)
}

func concurrent() error {
	errs := make([]error, 100)
	var wg sync.WaitGroup
	for i := range errs {
		wg.Go(func() {
			ln, via, err := privport.Listen(context.Background(), "tcp4", "127.0.0.1:"+strconv.Itoa(443+i))
			if err == nil && via != privport.Raised {
				err = fmt.Errorf("port %d by way of %q", 443+i, via)
			}
			if ln != nil {
				defer ln.Close()
			}
			errs[i] = err
		})
	}
	wg.Wait()
	return errors.Join(append(errs, lowered())...)
}

// A thousand raises leave no thread behind, and none raised.
func threadsEnd() error {
	for range 1000 {
		ln, _, err := privport.Listen(context.Background(), "tcp4", "127.0.0.1:443")
		if err != nil {
			return err
		}
		ln.Close()
	}
	if all, err := caps.Threads(os.Getpid()); err != nil || len(all) > 50 {
		return fmt.Errorf("%d threads, %v", len(all), err)
	}
	return lowered()
}

// The plain bind is refused, and only the raised one can see that the port is taken.
func inUse() error {
	first, _, err := privport.Listen(context.Background(), "tcp4", "127.0.0.1:443")
	if err != nil {
		return err
	}
	defer first.Close()
	ln, via, err := privport.Listen(context.Background(), "tcp4", "127.0.0.1:443")
	if ln != nil || via != privport.Raised || !errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("%v, %q, %v", ln, via, err)
	}
	return lowered()
}

func notPermitted() error {
	ln, via, err := privport.Listen(context.Background(), "tcp4", "127.0.0.1:443")
	var op *net.OpError
	if ln != nil || via != privport.Plain || !errors.Is(err, syscall.EACCES) || !errors.As(err, &op) {
		return fmt.Errorf("%v, %q, %v", ln, via, err)
	}
	return nil
}

func TestListenPlain(t *testing.T) {
	for _, network := range []string{"tcp", "tcp4"} {
		ln, via, err := privport.Listen(context.Background(), network, "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer ln.Close()
		if via != privport.Plain {
			t.Errorf("%s: by way of %q", network, via)
		}
		_, _, err = privport.Listen(context.Background(), network, ln.Addr().String())
		if !errors.Is(err, syscall.EADDRINUSE) {
			t.Errorf("%s: taken: %v", network, err)
		}
	}
}

func TestStart(t *testing.T) {
	b, err := os.ReadFile("/proc/sys/net/ipv4/ip_unprivileged_port_start")
	if err != nil {
		t.Fatal(err)
	}
	got, err := privport.Start()
	if want := strings.TrimSpace(string(b)); err != nil || strconv.Itoa(got) != want {
		t.Errorf("Start() = %d, %v, want %s", got, err, want)
	}
}

// In a user namespace of its own a process owns the network of its own, and not
// the one it came from.
func TestOwnNetwork(t *testing.T) {
	for flags, want := range map[uintptr]string{syscall.CLONE_NEWUSER: "false", syscall.CLONE_NEWUSER | syscall.CLONE_NEWNET: "true"} {
		cmd := exec.Command("/proc/self/exe")
		cmd.Env = append(os.Environ(), childEnv+"=own network")
		cmd.SysProcAttr = &syscall.SysProcAttr{
			Cloneflags:  flags,
			UidMappings: []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}},
			GidMappings: []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}},
		}
		out, err := cmd.Output()
		for _, none := range []error{syscall.EPERM, syscall.ENOSPC, syscall.EINVAL} { // forbidden, none left, not in this kernel
			if errors.Is(err, none) {
				needs.Lack(t, "user namespaces")
			}
		}
		if err != nil || string(out) != want {
			t.Errorf("namespaces %#x: %s, %v, want %s", flags, out, err, want)
		}
	}
}
