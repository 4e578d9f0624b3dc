//go:build linux

package bench

import (
	"errors"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// must fails the benchmark, outside of what is measured in the good case.
func must[T any](b *testing.B, v T, err error) T {
	if err != nil {
		b.Fatal(err)
	}
	return v
}

// each measures one way.
func each(way func(*testing.B)) func(*testing.B) {
	return func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			way(b)
		}
	}
}

// inTurn measures two ways in turn, in the processor time that this process and the programs
// that it executed took, since other programs' use of the machine is more than the difference.
// It reports the ratio of the medians.
func inTurn(one, other func(*testing.B)) func(*testing.B) {
	return func(b *testing.B) {
		var took [2][]time.Duration
		for b.Loop() {
			for i, way := range []func(*testing.B){one, other} {
				start := cpuTime(b)
				way(b)
				took[i] = append(took[i], cpuTime(b)-start)
			}
		}
		b.ReportMetric(float64(median(took[0]))/float64(median(took[1])), "ratio")
		b.ReportMetric(float64(median(took[0]).Microseconds()), "cpu-µs")
	}
}

// inCPU measures one way in the same time, and reports its median in microseconds.
func inCPU(way func(*testing.B)) func(*testing.B) {
	return func(b *testing.B) {
		var took []time.Duration
		for b.Loop() {
			start := cpuTime(b)
			way(b)
			took = append(took, cpuTime(b)-start)
		}
		b.ReportMetric(float64(median(took).Microseconds()), "cpu-µs")
	}
}

func median(all []time.Duration) time.Duration {
	slices.Sort(all)
	return all[len(all)/2]
}

// cpuTime is the processor time that this process and its children that have ended took.
func cpuTime(b *testing.B) time.Duration {
	var own unix.Timespec
	var children unix.Rusage
	if err := errors.Join(unix.ClockGettime(unix.CLOCK_PROCESS_CPUTIME_ID, &own), unix.Getrusage(unix.RUSAGE_CHILDREN, &children)); err != nil {
		b.Fatal(err)
	}
	return time.Duration(own.Nano() + children.Utime.Nano() + children.Stime.Nano())
}
