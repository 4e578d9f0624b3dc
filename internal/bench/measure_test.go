//go:build linux

package bench

import (
	"slices"
	"testing"
	"time"
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

// inTurn measures two ways in turn, since other programs' use of the machine is
// more than the difference, and reports the ratio of their medians.
func inTurn(one, other func(*testing.B)) func(*testing.B) {
	return func(b *testing.B) {
		var took [2][]time.Duration
		for b.Loop() {
			for i, way := range []func(*testing.B){one, other} {
				start := time.Now()
				way(b)
				took[i] = append(took[i], time.Since(start))
			}
		}
		median := func(all []time.Duration) float64 {
			slices.Sort(all)
			return float64(all[len(all)/2])
		}
		b.ReportMetric(median(took[0])/median(took[1]), "ratio")
	}
}
