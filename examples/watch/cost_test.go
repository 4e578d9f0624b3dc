package main

import (
	"testing"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"
)

// What the two programs in the kernel cost a system call, as the kernel counts it (BPF_ENABLE_STATS):
// at its entry, and at its exit, of a bind that succeeds and of any other call. It counts the
// calls of all processes of the machine.
//
//	sudo go test -run none -bench Cost
func BenchmarkCost(b *testing.B) {
	stats, err := ebpf.EnableStats(unix.BPF_STATS_RUN_TIME)
	if err != nil {
		b.Skip(err)
	}
	defer stats.Close()
	w, err := open(settings{})
	if err != nil {
		b.Skip(err)
	}
	defer w.stop()
	for name, call := range map[string]func() error{
		"bind": func() error {
			fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
			if err != nil {
				return err
			}
			defer unix.Close(fd)
			return unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}})
		},
		"getppid": func() error { unix.Getppid(); return nil },
	} {
		b.Run(name, func(b *testing.B) {
			before := spent(b, w)
			for b.Loop() {
				if err := call(); err != nil {
					b.Fatal(err)
				}
			}
			for i, after := range spent(b, w) {
				runs, ns := after.RunCount-before[i].RunCount, after.Runtime-before[i].Runtime
				b.ReportMetric(float64(ns.Nanoseconds())/float64(max(runs, 1)), []string{"ns/entry", "ns/exit"}[i])
			}
		})
	}
}

// spent is what the kernel has counted of the programs.
func spent(b *testing.B, w *watch) (all []ebpf.ProgramStats) {
	b.Helper()
	for _, l := range w.links {
		info, err := l.Info()
		if err != nil {
			b.Fatal(err)
		}
		program, err := ebpf.NewProgramFromID(info.Program)
		if err != nil {
			b.Fatal(err)
		}
		stats, err := program.Stats()
		program.Close()
		if err != nil {
			b.Fatal(err)
		}
		all = append(all, *stats)
	}
	return all
}
