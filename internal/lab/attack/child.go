//go:build linux

package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/lowport/lowport/caps"
)

// child is the process that was drawn: it does what the draw says, says that it is ready,
// waits for the audit and attacks.
func child() {
	in := bufio.NewReader(os.Stdin)
	line, err := in.ReadBytes('\n')
	if err != nil {
		log.Fatal(err)
	}
	var d Draw
	if err := json.Unmarshal(line, &d); err != nil {
		log.Fatal(err)
	}
	if err := d.prepare(); err != nil {
		log.Fatal(err)
	}
	fmt.Println("ready")
	if _, err := in.ReadString('\n'); err != nil {
		log.Fatal(err)
	}
	if err := json.NewEncoder(os.Stdout).Encode(d.attacks()); err != nil {
		log.Fatal(err)
	}
}

func (d Draw) prepare() error {
	if d.Saved {
		if _, _, errno := syscall.AllThreadsSyscall(unix.SYS_SETRESUID, 1000, 1000, 0); errno != 0 && errno != unix.EPERM {
			return errno
		}
	}
	if !d.Bare {
		if _, _, errno := syscall.AllThreadsSyscall6(unix.SYS_PRCTL, unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0, 0); errno != 0 {
			return errno
		}
	}
	s, err := caps.Self()
	if err != nil {
		return err
	}
	if d.Idle {
		if err := capset(0, s.Permitted, 0, syscall.AllThreadsSyscall); err != nil {
			return err
		}
	}
	if d.Lower { // init runs on the first thread, main too
		runtime.LockOSThread()
		return capset(0, 0, 0, syscall.RawSyscall)
	}
	return nil
}

type caller func(trap, a1, a2, a3 uintptr) (r1, r2 uintptr, err syscall.Errno)

func capset(inheritable, permitted, effective caps.Set, call caller) error {
	hdr := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	for i := range data {
		data[i] = unix.CapUserData{Effective: uint32(effective >> (32 * i)), Permitted: uint32(permitted >> (32 * i)), Inheritable: uint32(inheritable >> (32 * i))}
	}
	if _, _, errno := call(unix.SYS_CAPSET, uintptr(unsafe.Pointer(&hdr)), uintptr(unsafe.Pointer(&data[0])), 0); errno != 0 {
		return errno
	}
	return nil
}

// attacks tries everything, each on a thread of its own that has made all effective that
// it may, and names what worked.
func (d Draw) attacks() []string {
	did := []string{}
	try := func(what string, f func() error) {
		done := make(chan error)
		go func() {
			runtime.LockOSThread() // and ends with it
			if unix.Gettid() == unix.Getpid() {
				wait := make(chan error)
				go func() { runtime.LockOSThread(); wait <- raised(f) }()
				done <- <-wait
				select {}
			}
			done <- raised(f)
		}()
		if <-done == nil {
			did = append(did, what)
		}
	}
	try("read a file of root", func() error { return opens(secret, unix.O_RDONLY) })
	try("write a file of root", func() error { return opens(secret, unix.O_WRONLY) })
	if !slices.Contains(d.Groups, 42) {
		try("write a file of group 42", func() error { return opens(grouped, unix.O_RDWR) })
	}
	try("write a file of uid 1001", func() error { return opens(others, unix.O_RDWR) })
	try("take a file of root", func() error {
		if err := unix.Chown(secret, unix.Geteuid(), -1); err != nil {
			return err
		}
		return opens(secret, unix.O_RDWR)
	})
	try("change the mode of a file of root", func() error {
		if err := unix.Chmod(secret, 0o666); err != nil {
			return err
		}
		return opens(secret, unix.O_RDWR)
	})
	for _, id := range d.inside(d.UIDMap, 0) {
		try("become root", func() error {
			if _, _, errno := unix.RawSyscall(unix.SYS_SETRESUID, uintptr(id), uintptr(id), uintptr(id)); errno != 0 {
				return errno
			}
			return opens(secret, unix.O_RDWR)
		})
	}
	for _, id := range d.inside(d.GIDMap, 42) {
		if slices.Contains(d.Groups, 42) {
			continue
		}
		try("join group 42", func() error {
			if _, _, errno := unix.RawSyscall(unix.SYS_SETRESGID, uintptr(id), uintptr(id), uintptr(id)); errno != 0 {
				return errno
			}
			return opens(grouped, unix.O_RDWR)
		})
	}
	for _, name := range targets {
		if folder, ok := strings.CutSuffix(name, "/"); ok {
			try("put a file into "+folder, func() error {
				fd, err := unix.Open(folder+"/put", unix.O_CREAT|unix.O_WRONLY|unix.O_EXCL, 0o600)
				if err == nil {
					unix.Close(fd)
					unix.Unlink(folder + "/put")
				}
				return err
			})
			continue
		}
		try("write "+name, func() error { return opens(name, unix.O_WRONLY|unix.O_APPEND) })
		try("chmod "+name, func() error {
			if err := unix.Chmod(name, 0o666); err != nil {
				return err
			}
			return opens(name, unix.O_WRONLY|unix.O_APPEND)
		})
	}
	if d.Open != "" {
		try("write its descriptor", func() error { _, err := unix.Write(3, []byte("x")); return err })
		if d.Open == "/etc/shadow" || d.Open == "/root/.ssh/id_x" {
			try("read its descriptor", func() error { _, err := unix.Read(3, make([]byte, 1)); return err })
		}
	}
	switch d.Terminal {
	case "controlling":
		try("read or type at a terminal of root's", func() error {
			fd, err := unix.Open("/dev/tty", unix.O_RDWR|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
			if err == nil {
				unix.Close(fd)
			}
			return err
		})
		try("type into a terminal of root's", func() error {
			c := byte('x')
			if _, _, errno := unix.Syscall(unix.SYS_IOCTL, 3, unix.TIOCSTI, uintptr(unsafe.Pointer(&c))); errno != 0 {
				return errno
			}
			return nil
		})
	case "slave":
		try("read a terminal of root's", func() error {
			if err := unix.SetNonblock(3, true); err != nil {
				return err
			}
			_, err := unix.Read(3, make([]byte, 1))
			return only(err, unix.EAGAIN)
		})
	case "master":
		try("type into a terminal of root's", func() error { _, err := unix.Write(3, []byte("x")); return err })
	}
	try("signal a process of root", func() error { return unix.Kill(d.Victim, 0) })
	try("trace a process of root", func() error {
		if err := unix.PtraceAttach(d.Victim); err != nil {
			return err
		}
		var status unix.WaitStatus
		unix.Wait4(d.Victim, &status, unix.WALL, nil)
		return unix.PtraceDetach(d.Victim)
	})
	try("make a device", func() error {
		err := unix.Mknod("/mnt/dev", unix.S_IFBLK|0o600, 8<<8)
		if err != nil { // where it may write no folder of the arena
			err = unix.Mknod("/usr/local/dev", unix.S_IFBLK|0o600, 8<<8)
			unix.Unlink("/usr/local/dev")
		}
		unix.Unlink("/mnt/dev")
		return err
	})
	try("load a module", func() error { return unless(unix.FinitModule(-1, "", 0), unix.EPERM, unix.ENOSYS) })
	try("reboot", func() error {
		_, _, errno := unix.RawSyscall(unix.SYS_REBOOT, 1, 2, 3) // not the magic numbers
		return unless(errno, unix.EPERM)
	})
	try("name the machine", func() error { return unix.Sethostname([]byte("arena")) })
	try("stamp a file", func() error { // what it is worth is asked from outside
		attr := []byte{0, 0, 0, 2, 0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}
		unix.Setxattr(ownFile, "security.capability", attr, 0)
		return unix.EPERM
	})
	try("forge packets", func() error {
		fd, err := unix.Socket(unix.AF_INET, unix.SOCK_RAW, unix.IPPROTO_ICMP)
		unix.Close(fd)
		return err
	})
	slices.Sort(did)
	return slices.Compact(did)
}

// raised runs f with all effective that this thread has permitted.
func raised(f func() error) error {
	s, err := caps.Self()
	if err != nil {
		return err
	}
	if err := capset(s.Inheritable, s.Permitted, s.Permitted, syscall.RawSyscall); err != nil {
		return err
	}
	return f()
}

func opens(name string, how int) error {
	fd, err := unix.Open(name, how|unix.O_CLOEXEC, 0)
	if err == nil {
		unix.Close(fd)
	}
	return err
}

// unless returns nil for every error but these: the kernel asks for the right before it
// looks at the nonsense that is asked for.
func unless(err error, denied ...error) error {
	if slices.Contains(denied, err) {
		return err
	}
	return nil
}

// only returns nil for no error and for that one.
func only(err, harmless error) error {
	if err == harmless {
		return nil
	}
	return err
}

// inside returns the ids that an id of the machine may have in the user namespace.
func (d Draw) inside(m caps.IDMap, outside uint32) []uint32 {
	if !d.UserNS {
		return []uint32{outside}
	}
	if id, ok := m.Inside(outside); ok {
		return []uint32{id}
	}
	return nil
}
