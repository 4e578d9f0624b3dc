//go:build linux

package bench

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"testing"
	"time"

	"github.com/lowport/lowport/caps/drop"
	"golang.org/x/sys/unix"
	"kernel.org/pub/linux/libs/security/libcap/cap"
)

// A drop is irreversible, so each is made and timed in a process of its own:
// this test binary again, with such as "root libcap 100" in dropEnv.
const dropEnv = "LOWPORT_BENCH_DROP"

func init() {
	var start, how string
	var threads int
	if _, err := fmt.Sscan(os.Getenv(dropEnv), &start, &how, &threads); err != nil {
		return
	}
	if start == "bind" {
		one := cap.NewSet()
		one.SetFlag(cap.Permitted, true, cap.NET_BIND_SERVICE)
		if err := one.SetProc(); err != nil {
			panic(err)
		}
	}
	up := make(chan bool)
	for range threads {
		go func() {
			runtime.LockOSThread()
			up <- true
			select {}
		}()
	}
	for range threads {
		<-up
	}
	all := map[string]func() error{"drop": drop.All, "libcap": libcapAll, "raw": func() error {
		return errors.Join(readStatuses(), libcapAll(), readStatuses())
	}}[how]
	began, cpu := time.Now(), processor()
	err := all()
	fmt.Println(time.Since(began).Nanoseconds(), processor()-cpu)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// processor is the time that this process has used its processors, in nanoseconds.
func processor() int64 {
	var r unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &r); err != nil {
		panic(err)
	}
	return r.Utime.Nano() + r.Stime.Nano()
}

// readStatuses reads the status of every thread with no more than openat, read and close,
// and does nothing with it: what it takes to know that a drop may be made, or was.
func readStatuses() error {
	dir, err := unix.Open("/proc/self/task", unix.O_RDONLY|unix.O_DIRECTORY, 0)
	if err != nil {
		return err
	}
	defer unix.Close(dir)
	entries, err := os.ReadDir("/proc/self/task")
	if err != nil {
		return err
	}
	var buf [8192]byte
	for _, e := range entries {
		fd, err := unix.Openat(dir, e.Name()+"/status", unix.O_RDONLY, 0)
		if err != nil {
			return err
		}
		_, err = unix.Read(fd, buf[:])
		unix.Close(fd)
		if err != nil {
			return err
		}
	}
	return nil
}

// libcapAll makes the calls of drop.All, without its looking before and after.
func libcapAll() error {
	_, err := cap.Prctlw(unix.PR_SET_NO_NEW_PRIVS, 1)
	var bounding []cap.Value
	setpcap, _ := cap.GetProc().GetFlag(cap.Permitted, cap.SETPCAP)
	for c := cap.Value(0); setpcap; c++ {
		in, err := cap.GetBound(c)
		if err != nil {
			break
		}
		if in {
			bounding = append(bounding, c)
		}
	}
	return errors.Join(err, cap.DropBound(bounding...), cap.NewSet().SetProc())
}

// BenchmarkDropAll starts with everything, so that 41 capabilities leave the
// bounding set one by one, and with cap_net_bind_service alone. ns/op is the time
// that the drop took, not the process around it; cpu-ns/op what it used of both
// processors. "libcap" looks at no thread, "raw" reads the status of each before and
// after, as a drop has to that knows what it does.
func BenchmarkDropAll(b *testing.B) {
	if os.Geteuid() != 0 {
		b.Skip("needs root")
	}
	for _, start := range []string{"root", "bind"} {
		for _, threads := range []int{10, 100, 1000, 5000} {
			for _, how := range []string{"libcap", "raw", "drop"} {
				b.Run(fmt.Sprintf("%s/threads=%d/%s", start, threads, how), func(b *testing.B) {
					var total, cpu int
					for b.Loop() {
						ns, used := timedDrop(b, fmt.Sprint(start, " ", how, " ", threads))
						total, cpu = total+ns, cpu+used
					}
					b.ReportMetric(float64(total)/float64(b.N), "ns/op")
					b.ReportMetric(float64(cpu)/float64(b.N), "cpu-ns/op")
				})
			}
		}
	}
}

func timedDrop(b *testing.B, what string) (ns, cpu int) {
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), dropEnv+"="+what)
	out, err := cmd.Output()
	if err != nil {
		b.Fatal(err)
	}
	if _, err := fmt.Sscan(string(out), &ns, &cpu); err != nil {
		b.Fatal(err)
	}
	return ns, cpu
}
