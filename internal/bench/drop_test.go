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
	all := drop.All
	if how == "libcap" {
		all = libcapAll
	}
	began := time.Now()
	err := all()
	fmt.Println(time.Since(began).Nanoseconds())
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
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
// that the drop took, not the process around it.
func BenchmarkDropAll(b *testing.B) {
	if os.Geteuid() != 0 {
		b.Skip("needs root")
	}
	for _, start := range []string{"root", "bind"} {
		for _, threads := range []int{10, 100, 1000} {
			for _, how := range []string{"libcap", "drop"} {
				b.Run(fmt.Sprintf("%s/threads=%d/%s", start, threads, how), func(b *testing.B) {
					var total int
					for b.Loop() {
						total += timedDrop(b, fmt.Sprint(start, " ", how, " ", threads))
					}
					b.ReportMetric(float64(total)/float64(b.N), "ns/op")
				})
			}
		}
	}
}

func timedDrop(b *testing.B, what string) (ns int) {
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), dropEnv+"="+what)
	out, err := cmd.Output()
	if err != nil {
		b.Fatal(err)
	}
	if _, err := fmt.Sscan(string(out), &ns); err != nil {
		b.Fatal(err)
	}
	return ns
}
