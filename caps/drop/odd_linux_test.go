package drop_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"unsafe"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/caps/drop"
	"github.com/lowport/lowport/internal/needs"
	"golang.org/x/sys/unix"
)

// The situations in which libpsx or the runtime would kill the process, or wait
// without end: each has to end as an error, with nothing changed.
func TestNeverKills(t *testing.T) {
	needs.Root(t, "unshare", "umount")
	ok(t, child(t, "no proc", "unshare", "--mount", "--", "sh", "-c", `umount -l /proc && exec "$@"`, "sh"))
	ok(t, child(t, "foreign proc", "unshare", "--pid", "--fork", "--kill-child", "--"))
	for _, name := range []string{
		"no file descriptors", "signal blocked", "seccomp on one thread", "capset refused", "first thread ended",
		"bounding set fixed", "bounding set fixed, nobody", "no signals",
		"signals that only seem to be sent", "no place for a signal",
	} {
		ok(t, child(t, name))
	}
}

// A thread with fewer capabilities than the others.
func TestLesserThread(t *testing.T) {
	needs.Root(t)
	ok(t, child(t, "lesser thread"))
	ok(t, child(t, "lesser thread, all"))
}

// TestFileCapabilities starts as an ordinary user with a permitted set from a
// file and nothing effective, beside threads that raise it for themselves.
func TestFileCapabilities(t *testing.T) {
	needs.Root(t, "setpriv")
	exe := openCopy(t)
	attr := make([]byte, 20)
	binary.LittleEndian.PutUint32(attr, 0x02000000) // VFS_CAP_REVISION_2, not effective
	binary.LittleEndian.PutUint32(attr[4:], 1<<caps.SETPCAP|1<<caps.NET_BIND_SERVICE|1<<caps.NET_RAW)
	if err := unix.Setxattr(exe, "security.capability", attr, 0); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"bounding emptied", "clamp", "all, raising"} {
		cmd := child(t, name, "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--")
		cmd.Args[len(cmd.Args)-1] = exe
		ok(t, cmd)
	}
}

func TestClamp(t *testing.T) {
	needs.Root(t, "setpriv")
	ok(t, child(t, "clamp"))
	ok(t, child(t, "clamp, refused", "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--"))
	ok(t, child(t, "clamp, refused", "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--nnp", "--"))
}

func init() {
	for name, spoil := range map[string]func() error{
		"no proc":      func() error { return nil },
		"foreign proc": func() error { return nil },
		"no file descriptors": func() error {
			return unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: 3, Max: 3})
		},
		"no signals": func() error {
			return filter(unix.SECCOMP_FILTER_FLAG_TSYNC, unix.SECCOMP_RET_ERRNO|uint32(unix.EACCES), unix.SYS_TGKILL, unix.SYS_TKILL)
		},
		"signals that only seem to be sent": func() error {
			return filter(unix.SECCOMP_FILTER_FLAG_TSYNC, unix.SECCOMP_RET_ERRNO, unix.SYS_TGKILL, unix.SYS_TKILL)
		},
		"no place for a signal": func() error {
			return unix.Setrlimit(unix.RLIMIT_SIGPENDING, &unix.Rlimit{})
		},
		"signal blocked": onThread(func() error {
			set := uint64(1) << (33 - 1)
			_, _, errno := unix.RawSyscall6(unix.SYS_RT_SIGPROCMASK, unix.SIG_BLOCK, uintptr(unsafe.Pointer(&set)), 0, 8, 0, 0)
			return errnoOrNil(errno)
		}),
		"seccomp on one thread": onThread(func() error {
			return filter(0, unix.SECCOMP_RET_ERRNO|uint32(unix.EPERM), unix.SYS_CAPSET)
		}),
	} {
		children[name] = func() error {
			before, err := caps.Self()
			if err != nil {
				return err
			}
			if err := spoil(); err != nil {
				return err
			}
			canLook := name != "no proc" && name != "foreign proc" && name != "no file descriptors"
			for name, f := range map[string]func() error{
				"All":    drop.All,
				"Except": func() error { return drop.Except(caps.NET_RAW) },
				"Clamp":  func() error { return drop.Clamp() },
				"Held":   func() error { _, err := drop.Held(); return err },
			} {
				if err := f(); err == nil && !(name == "Held" && canLook) {
					return fmt.Errorf("%s: no error", name)
				}
			}
			after, err := caps.Self()
			if err == nil && after != before {
				err = fmt.Errorf("%+v, before: %+v", after, before)
			}
			return err
		}
	}
	children["capset refused"] = func() error {
		lockThreads(20)
		if err := filter(unix.SECCOMP_FILTER_FLAG_TSYNC, unix.SECCOMP_RET_ERRNO|uint32(unix.EPERM), unix.SYS_CAPSET); err != nil {
			return err
		}
		if err := drop.All(); !errors.Is(err, syscall.EPERM) {
			return fmt.Errorf("got %v", err)
		}
		return nil
	}
	// As an AppArmor profile does it that does not grant CAP_SETPCAP.
	fixBounding := func() error {
		lockThreads(20)
		return filterPrctl(unix.SECCOMP_RET_ERRNO|uint32(unix.EPERM), unix.PR_CAPBSET_DROP)
	}
	children["bounding set fixed"] = func() error {
		before, err := caps.Self()
		if err != nil {
			return err
		}
		if err := errors.Join(fixBounding(), drop.Except(caps.SETPCAP), drop.Except(caps.SETPCAP)); err != nil {
			return err
		}
		if err := drop.Clamp(); !errors.Is(err, syscall.EPERM) {
			return fmt.Errorf("Clamp: %v", err)
		}
		return errors.Join(drop.All(), everyThread(func(s caps.State) bool {
			return s == caps.State{Bounding: before.Bounding, NoNewPrivs: true}
		}))
	}
	children["bounding set fixed, nobody"] = func() error {
		if err := errors.Join(fixBounding(), drop.ToUser("nobody", caps.NET_RAW)); err != nil {
			return err
		}
		raw := caps.SetOf(caps.NET_RAW)
		return errors.Join(isUser("nobody"), everyThread(func(s caps.State) bool {
			return s.Permitted == raw && s.Effective|s.Inheritable|s.Ambient == 0 && s.NoNewPrivs
		}))
	}
	children["lesser thread"] = func() error {
		before, err := caps.Self()
		if err != nil {
			return err
		}
		before.Securebits = 0
		var tid int
		if err := onThread(func() error {
			tid = unix.Gettid()
			hdr := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
			return unix.Capset(&hdr, &make([]unix.CapUserData, 2)[0])
		})(); err != nil {
			return err
		}
		for name, f := range map[string]func() error{
			"Except": func() error { return drop.Except(caps.NET_RAW) },
			"ToUser": func() error { return drop.ToUser("nobody") },
			"Clamp":  func() error { return drop.Clamp() },
			"Held":   func() error { _, err := drop.Held(); return err },
		} {
			err := f()
			var e *drop.Error
			if !errors.As(err, &e) || len(e.Threads) != 1 || e.Threads[0].TID != tid {
				return fmt.Errorf("%s: %v", name, err)
			}
			if name != "Held" && !errors.Is(err, syscall.EPERM) {
				return fmt.Errorf("%s: %v is not EPERM", name, err)
			}
			fmt.Println(err)
		}
		if now, err := caps.Self(); err != nil || now != before {
			return fmt.Errorf("changed: %+v, %v", now, err)
		}
		return nil
	}
	children["lesser thread, all"] = func() error {
		if err := onThread(func() error {
			hdr := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
			return unix.Capset(&hdr, &make([]unix.CapUserData, 2)[0])
		})(); err != nil {
			return err
		}
		return errors.Join(drop.All(), everyThread(empty))
	}
	children["all, raising"] = func() error {
		defer commotion(20)()
		return errors.Join(drop.All(), everyThread(empty))
	}
	children["clamp"] = func() error {
		lockThreads(20)
		before, err := caps.Self()
		if err != nil {
			return err
		}
		want := before
		want.Securebits = 0
		want.Bounding = caps.SetOf(caps.NET_BIND_SERVICE)
		return errors.Join(drop.Clamp(caps.NET_BIND_SERVICE), everyThread(func(s caps.State) bool { return s == want }), drop.Clamp(caps.NET_BIND_SERVICE))
	}
	children["clamp, refused"] = func() error {
		before, err := caps.Self()
		if err != nil {
			return err
		}
		moot := "no_new_privs is not set"
		if before.NoNewPrivs {
			moot = "no_new_privs makes it moot"
		}
		if err := drop.Clamp(); !errors.Is(err, syscall.EPERM) || !strings.Contains(err.Error(), moot) {
			return fmt.Errorf("got %v", err)
		}
		return nil
	}
}

// filter puts this thread, or with TSYNC every thread, under a seccomp filter
// that answers the given system calls with action and allows all others.
func filter(flags uintptr, action uint32, calls ...uint32) error {
	prog := []unix.SockFilter{{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: 0}}
	for _, nr := range calls {
		prog = append(prog,
			unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, Jf: 1, K: nr},
			unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: action})
	}
	return install(flags, prog)
}

// filterPrctl answers one option of prctl(2) on every thread.
func filterPrctl(action, option uint32) error {
	return install(unix.SECCOMP_FILTER_FLAG_TSYNC, []unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: 0},
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, Jf: 3, K: unix.SYS_PRCTL},
		{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: 16}, // the low half of the first argument
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, Jf: 1, K: option},
		{Code: unix.BPF_RET | unix.BPF_K, K: action},
	})
}

// install adds the filter of prog, which allows what prog does not answer.
func install(flags uintptr, prog []unix.SockFilter) error {
	prog = append(prog, unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW})
	fprog := unix.SockFprog{Len: uint16(len(prog)), Filter: &prog[0]}
	_, _, errno := unix.RawSyscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, flags, uintptr(unsafe.Pointer(&fprog)))
	return errnoOrNil(errno)
}

// onThread runs f on a thread that stays as f left it.
func onThread(f func() error) func() error {
	return func() error {
		done := make(chan error)
		go func() {
			runtime.LockOSThread()
			if unix.Gettid() == unix.Getpid() {
				done <- onThread(f)()
			} else {
				done <- f()
			}
			select {}
		}()
		return <-done
	}
}

func errnoOrNil(errno syscall.Errno) error {
	if errno == 0 {
		return nil
	}
	return errno
}

// The first thread of a process can end before the process, and stays in
// /proc/self/task as a zombie that answers to no signal. Init runs on it.
func init() {
	children["first thread ended"] = func() error {
		err := drop.All()
		var e *drop.Error
		if !errors.As(err, &e) || !errors.Is(err, syscall.EBUSY) || e.Threads[0].TID != os.Getpid() {
			return fmt.Errorf("got %v", err)
		}
		return nil
	}
	if os.Getenv(childEnv) == "first thread ended" {
		go func() {
			for first := true; first; {
				b, err := os.ReadFile("/proc/self/status")
				first = err == nil && !strings.Contains(string(b), "\nState:\tZ")
			}
			if err := children["first thread ended"](); err != nil {
				fmt.Fprintln(os.Stderr, err)
				os.Exit(1)
			}
			os.Exit(0)
		}()
		unix.Syscall(unix.SYS_EXIT, 0, 0, 0)
	}
}
