//go:build linux

// Counts asks the kernel which of this process's capabilities it honours here,
// each by a system call that takes the capability and does no harm, and says
// where that is not what the rules of lowport say.
package main

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/internal/kernel"
	"github.com/lowport/lowport/internal/live"
	"github.com/lowport/lowport/internal/thread"
)

// errAbsent is of a probe that this kernel cannot answer.
var errAbsent = errors.New("not in this kernel")

// probes are in order of the capabilities. An answer of EPERM or EACCES says
// that the kernel did not honour it, and so does ECONNREFUSED; any other error
// comes after that check.
var probes = []struct {
	cap caps.Cap
	ask func() error
}{
	{caps.SETPCAP, func() error { return unix.Prctl(unix.PR_CAPBSET_DROP, uintptr(caps.SETFCAP), 0, 0, 0) }},
	{caps.LINUX_IMMUTABLE, appendOnly},
	{caps.NET_BROADCAST, hearAll},
	{caps.NET_ADMIN, netAdmin},
	{caps.NET_RAW, func() error { return opened(unix.Socket(unix.AF_INET, unix.SOCK_RAW, unix.IPPROTO_ICMP)) }},
	{caps.IPC_LOCK, lockMemory},
	{caps.SYS_MODULE, func() error { return unix.DeleteModule("lowport-none", unix.O_NONBLOCK) }},
	{caps.SYS_RAWIO, func() error { return withFile(fibmap) }},
	{caps.SYS_CHROOT, func() error { return unix.Chroot("/") }},
	{caps.SYS_PACCT, func() error { return unix.Acct("/nonexistent") }},
	{caps.SYS_BOOT, func() error { return call(unix.SYS_REBOOT, 0, 0, 0) }}, // wrong magic numbers
	{caps.SYS_NICE, func() error { return unix.Setpriority(unix.PRIO_PROCESS, 0, -1) }},
	{caps.SYS_RESOURCE, raiseLimit},
	{caps.SYS_TIME, adjustClock},
	{caps.SYS_TTY_CONFIG, func() error { return call(unix.SYS_VHANGUP, 0, 0, 0) }}, // it has no terminal
	{caps.MKNOD, makeDevice},
	{caps.LEASE, leaseOther},
	{caps.AUDIT_WRITE, writeAudit},
	{caps.AUDIT_READ, readAudit},
	{caps.SYSLOG, consoleLevel},
	{caps.WAKE_ALARM, func() error { return opened(unix.TimerfdCreate(unix.CLOCK_REALTIME_ALARM, 0)) }},
	{caps.BLOCK_SUSPEND, blockSuspend},
	{caps.PERFMON, watchCPU},
	{caps.BPF, makeMap},
}

func main() {
	_, _ = unix.Setsid() // away from any terminal; a leader of its own has none
	f := live.Read().Facts()
	self, err := caps.Self()
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	code := 0
	for _, p := range probes {
		held := self.Effective.Has(p.cap)
		want := held && kernel.Counts(&f, caps.SetOf(p.cap)) == kernel.Yes
		err := thread.Run(p.ask)
		got := !errors.Is(err, unix.EPERM) && !errors.Is(err, unix.EACCES) && !errors.Is(err, unix.ECONNREFUSED)
		verdict := map[bool]string{true: "counts", false: "does not count"}[got]
		switch {
		case errors.Is(err, errAbsent), errors.Is(err, unix.ENOSYS):
			verdict = "cannot be asked"
		case got != want:
			verdict += ", and should not"
			if want {
				verdict += " be so"
			}
			code = 1
		}
		fmt.Printf("%v, held %v: %s (%v)\n", p.cap, held, verdict, err)
	}
	os.Exit(code)
}

func call(number, a, b, c uintptr) error {
	if _, _, errno := unix.Syscall(number, a, b, c); errno != 0 {
		return errno
	}
	return nil
}

// opened closes a descriptor again.
func opened(fd int, err error) error {
	if err == nil {
		unix.Close(fd)
	}
	return err
}

// withFile runs f on an empty file of our own on a tmpfs.
func withFile(f func(fd int) error) error {
	file, err := os.CreateTemp("/tmp", "counts")
	if err != nil {
		return errAbsent
	}
	defer os.Remove(file.Name())
	defer file.Close()
	return f(int(file.Fd()))
}

func appendOnly() error {
	const appendFlag = 0x20 // FS_APPEND_FL
	return withFile(func(fd int) error {
		err := unix.IoctlSetPointerInt(fd, unix.FS_IOC_SETFLAGS, appendFlag)
		if err == nil {
			err = unix.IoctlSetPointerInt(fd, unix.FS_IOC_SETFLAGS, 0)
		}
		if errors.Is(err, unix.ENOTTY) {
			return errAbsent
		}
		return err
	})
}

// hearAll asks for the messages of other network namespaces (netlink_setsockopt),
// which capabilities(7) does not know of.
func hearAll() error {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_ROUTE)
	if err != nil {
		return errAbsent
	}
	defer unix.Close(fd)
	return unix.SetsockoptInt(fd, unix.SOL_NETLINK, unix.NETLINK_LISTEN_ALL_NSID, 1)
}

// netAdmin takes an interface down that is not there.
func netAdmin() error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM, 0)
	if err != nil {
		return errAbsent
	}
	defer unix.Close(fd)
	req, err := unix.NewIfreq("lowport0")
	if err == nil {
		err = unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, req)
	}
	return err
}

func lockMemory() error {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_MEMLOCK, &limit); err != nil {
		return errAbsent
	}
	// Before Linux 5.11 what other probes make is counted as well.
	defer unix.Setrlimit(unix.RLIMIT_MEMLOCK, &limit)
	none := unix.Rlimit{Max: limit.Max}
	if err := unix.Setrlimit(unix.RLIMIT_MEMLOCK, &none); err != nil {
		return errAbsent
	}
	return unix.Mlock(make([]byte, 4096))
}

// fibmap asks where on the disk a file lies, as FIBMAP does; a tmpfs has no answer.
func fibmap(fd int) error { return unix.IoctlSetPointerInt(fd, 1, 0) }

// raiseLimit raises a hard limit that it lowered before.
func raiseLimit() error {
	limit := unix.Rlimit{Cur: 1, Max: 1}
	if err := unix.Setrlimit(unix.RLIMIT_MSGQUEUE, &limit); err != nil {
		return errAbsent
	}
	return unix.Setrlimit(unix.RLIMIT_MSGQUEUE, &unix.Rlimit{Cur: 2, Max: 2})
}

// adjustClock asks for a tick that is never valid.
func adjustClock() error {
	_, err := unix.Adjtimex(&unix.Timex{Modes: unix.ADJ_TICK})
	return err
}

func makeDevice() error {
	dir, err := os.MkdirTemp("/tmp", "counts")
	if err != nil {
		return errAbsent
	}
	defer os.RemoveAll(dir)
	return unix.Mknod(dir+"/null", unix.S_IFCHR|0o600, int(unix.Mkdev(1, 3)))
}

// leaseOther takes a lease on a file of another user.
func leaseOther() error {
	fd, err := unix.Open("/tmp/other", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return errAbsent
	}
	defer unix.Close(fd)
	_, err = unix.FcntlInt(uintptr(fd), unix.F_SETLEASE, unix.F_RDLCK)
	return err
}

func readAudit() error {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_AUDIT)
	if err != nil {
		return errAbsent
	}
	defer unix.Close(fd)
	return unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: 1})
}

// writeAudit sends a message without text, which nobody writes anywhere.
func writeAudit() error {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_AUDIT)
	if err != nil {
		return errAbsent
	}
	defer unix.Close(fd)
	const auditUser = 1005 // AUDIT_USER
	msg := unix.NlMsghdr{Len: unix.SizeofNlMsghdr, Type: auditUser, Flags: unix.NLM_F_REQUEST | unix.NLM_F_ACK}
	b := unsafe.Slice((*byte)(unsafe.Pointer(&msg)), unix.SizeofNlMsghdr)
	if err := unix.Sendto(fd, b, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return err
	}
	var answer struct {
		unix.NlMsghdr
		errno int32
		of    unix.NlMsghdr
	}
	b = unsafe.Slice((*byte)(unsafe.Pointer(&answer)), unsafe.Sizeof(answer))
	if _, _, err := unix.Recvfrom(fd, b, 0); err != nil {
		return err
	}
	if answer.errno != 0 {
		return unix.Errno(-answer.errno)
	}
	return nil
}

// consoleLevel asks for a level of 0, which is none.
func consoleLevel() error { return call(unix.SYS_SYSLOG, 8, 0, 0) }

// blockSuspend looks whether EPOLLWAKEUP stayed; without the capability it is
// taken away in silence.
func blockSuspend() error {
	var pipe [2]int
	if err := unix.Pipe2(pipe[:], unix.O_CLOEXEC); err != nil {
		return err
	}
	defer unix.Close(pipe[0])
	defer unix.Close(pipe[1])
	ep, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return err
	}
	defer unix.Close(ep)
	event := unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLWAKEUP}
	if err := unix.EpollCtl(ep, unix.EPOLL_CTL_ADD, pipe[0], &event); err != nil {
		return err
	}
	if _, err := os.Stat("/sys/power/wakeup_count"); err != nil {
		return errAbsent // a kernel that does not suspend takes it away from everybody
	}
	info, err := os.ReadFile(fmt.Sprintf("/proc/self/fdinfo/%d", ep))
	if err != nil {
		return errAbsent
	}
	// The kernel adds EPOLLERR and EPOLLHUP.
	if !strings.Contains(string(info), "events: 20000019") {
		return unix.EPERM
	}
	return nil
}

// watchCPU counts on a whole processor.
func watchCPU() error {
	if level, err := os.ReadFile("/proc/sys/kernel/perf_event_paranoid"); err != nil || level[0] == '-' || level[0] == '0' {
		return errAbsent // everybody may
	}
	attr := unix.PerfEventAttr{Type: unix.PERF_TYPE_SOFTWARE, Size: uint32(unsafe.Sizeof(unix.PerfEventAttr{}))}
	return opened(unix.PerfEventOpen(&attr, -1, 0, -1, unix.PERF_FLAG_FD_CLOEXEC))
}

// makeMap makes a map of a kind that always takes cap_bpf.
func makeMap() error {
	attr := struct{ kind, key, value, entries, flags uint32 }{unix.BPF_MAP_TYPE_LPM_TRIE, 8, 4, 1, unix.BPF_F_NO_PREALLOC}
	fd, _, errno := unix.Syscall(unix.SYS_BPF, unix.BPF_MAP_CREATE, uintptr(unsafe.Pointer(&attr)), unsafe.Sizeof(attr))
	if errno != 0 {
		return errno
	}
	return unix.Close(int(fd))
}
