//go:build linux

package bench

import (
	"encoding/binary"
	"fmt"
	"os"
	"runtime"
	"testing"
	"unsafe"

	moby "github.com/moby/sys/capability"
	"github.com/prometheus/procfs"
	syndtr "github.com/syndtr/gocapability/capability"
	"golang.org/x/sys/unix"
	libcap "kernel.org/pub/linux/libs/security/libcap/cap"

	"github.com/lowport/lowport/caps"
)

// rawGet is capget(2) alone.
func rawGet(data *[2]unix.CapUserData) bool {
	hdr := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	_, _, errno := unix.RawSyscall(unix.SYS_CAPGET, uintptr(unsafe.Pointer(&hdr)), uintptr(unsafe.Pointer(data)), 0)
	return errno == 0
}

func prctl(option, arg2, arg3 uintptr) uintptr {
	r, _, _ := unix.RawSyscall6(unix.SYS_PRCTL, option, arg2, arg3, 0, 0, 0)
	return r
}

// BenchmarkState reads the five sets, no_new_privs and the securebits of the
// calling thread; moby and syndtr have the sets alone, procfs no securebits.
func BenchmarkState(b *testing.B) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	b.Run("lowport", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_, err := caps.Self()
			must(b, 0, err)
		}
	})
	b.Run("raw", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			var data [2]unix.CapUserData
			if !rawGet(&data) {
				b.Fatal("capget")
			}
			bounding := uint64(0)
			for c := uintptr(0); ; c++ {
				r := prctl(unix.PR_CAPBSET_READ, c, 0)
				if int(r) < 0 {
					break
				}
				bounding |= uint64(r) << c
			}
			_ = prctl(unix.PR_GET_NO_NEW_PRIVS, 0, 0)
			_ = prctl(unix.PR_GET_SECUREBITS, 0, 0)
			_ = bounding
		}
	})
	b.Run("rawproc", func(b *testing.B) { // the other way, without the securebits
		b.ReportAllocs()
		var buf [4096]byte
		for b.Loop() {
			fd, err := unix.Open("/proc/thread-self/status", unix.O_RDONLY|unix.O_CLOEXEC, 0)
			must(b, fd, err)
			n, err := unix.Read(fd, buf[:])
			must(b, n, err)
			unix.Close(fd)
		}
	})
	b.Run("libcap", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_ = libcap.GetProc()
			_ = libcap.IABGetProc()
			_ = libcap.GetSecbits()
			_, err := libcap.Prctl(unix.PR_GET_NO_NEW_PRIVS)
			must(b, 0, err)
		}
	})
	b.Run("moby", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			c, err := moby.NewPid2(0)
			must(b, 0, err)
			must(b, 0, c.Load())
		}
	})
	b.Run("syndtr", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			c, err := syndtr.NewPid2(0)
			must(b, 0, err)
			must(b, 0, c.Load())
		}
	})
	b.Run("procfs", func(b *testing.B) {
		b.ReportAllocs()
		fs, err := procfs.NewDefaultFS()
		must(b, 0, err)
		for b.Loop() {
			p, err := fs.Thread(unix.Getpid(), unix.Gettid())
			must(b, 0, err)
			_, err = p.NewStatus()
			must(b, 0, err)
		}
	})
}

// BenchmarkEffective reads the effective set of the calling thread.
func BenchmarkEffective(b *testing.B) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	b.Run("lowport", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_, err := caps.Effective()
			must(b, 0, err)
		}
	})
	b.Run("raw", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			var data [2]unix.CapUserData
			if !rawGet(&data) {
				b.Fatal("capget")
			}
		}
	})
	b.Run("libcap", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_, err := libcap.GetProc().GetFlag(libcap.Effective, libcap.NET_BIND_SERVICE)
			must(b, 0, err)
		}
	})
	b.Run("moby", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			c, err := moby.NewPid2(0)
			must(b, 0, err)
			must(b, 0, c.Load())
			_ = c.Get(moby.EFFECTIVE, moby.CAP_NET_BIND_SERVICE)
		}
	})
}

// BenchmarkProcess reads the main thread of a process, and BenchmarkThreads all of its
// threads, beside the calls that this takes: of the threads a list, each status, and a
// list again that has no new one.
func BenchmarkProcess(b *testing.B) {
	pid := os.Getpid()
	var buf [4096]byte
	b.Run("Process/raw", inTurn(func(b *testing.B) {
		s, err := caps.Process(pid)
		must(b, s, err)
	}, func(b *testing.B) {
		fd, err := unix.Open(fmt.Sprintf("/proc/%d/status", pid), unix.O_RDONLY|unix.O_CLOEXEC, 0)
		must(b, fd, err)
		must2(unix.Read(fd, buf[:]))(b)
		unix.Close(fd)
	}))
}

func BenchmarkThreads(b *testing.B) {
	for _, n := range []int{10, 100, 1000, 5000} {
		end := moreThreads(n)
		b.Run(fmt.Sprintf("Threads/raw/threads=%d", n), inTurn(func(b *testing.B) {
			all, err := caps.Threads(os.Getpid())
			must(b, all, err)
		}, rawThreads))
		close(end)
	}
}

// rawThreads reads the status of every thread between two lists of them.
func rawThreads(b *testing.B) {
	dir := must2(unix.Open("/proc/self/task", unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0))(b)
	defer unix.Close(dir)
	var list, buf [16 << 10]byte
	for last := false; ; last = true {
		must2(unix.Seek(dir, 0, unix.SEEK_SET))(b)
		for {
			n := must2(unix.Getdents(dir, list[:]))(b)
			if n == 0 {
				break
			}
			for entries := list[:n]; !last && len(entries) > 0; entries = entries[binary.NativeEndian.Uint16(entries[16:]):] {
				if name := unix.ByteSliceToString(entries[19:]); name[0] != '.' {
					fd := must2(unix.Openat(dir, name+"/status", unix.O_RDONLY|unix.O_CLOEXEC, 0))(b)
					must2(unix.Read(fd, buf[:]))(b)
					unix.Close(fd)
				}
			}
		}
		if last {
			return
		}
	}
}
