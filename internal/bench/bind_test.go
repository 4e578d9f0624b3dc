package bench

import (
	"net"
	"slices"
	"testing"
	"time"

	"github.com/lowport/lowport/guard"
)

// BenchmarkBind is a server's start: one listener on a port of its own, which
// takes no privilege, made and closed. Every way that is tried first counts.
func BenchmarkBind(b *testing.B) {
	free, err := net.Listen("tcp4", "127.0.0.2:0") // from which no connection of others comes
	if err != nil {
		b.Fatal(err)
	}
	address := free.Addr().String()
	free.Close()
	ways := []struct {
		name string
		do   func() (net.Listener, error)
	}{
		{"lowport", func() (net.Listener, error) { return guard.Bind(address) }},
		{"net", func() (net.Listener, error) { return net.Listen("tcp", address) }},
	}
	for _, bind := range ways {
		b.Run(bind.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				ln, err := bind.do()
				if err != nil {
					b.Fatal(err)
				}
				ln.Close()
			}
		})
	}
	// In turn, since other programs' use of the machine is more than the
	// difference: the median of each.
	b.Run("lowport/net", func(b *testing.B) {
		var took [2][]time.Duration
		for b.Loop() {
			for i, bind := range ways {
				start := time.Now()
				ln, err := bind.do()
				if err != nil {
					b.Fatal(err)
				}
				ln.Close()
				took[i] = append(took[i], time.Since(start))
			}
		}
		median := func(all []time.Duration) float64 {
			slices.Sort(all)
			return float64(all[len(all)/2])
		}
		b.ReportMetric(median(took[0])/median(took[1]), "ratio")
	})
}
