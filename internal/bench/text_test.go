//go:build linux

package bench

import (
	"testing"

	moby "github.com/moby/sys/capability"
	syndtr "github.com/syndtr/gocapability/capability"
	libcap "kernel.org/pub/linux/libs/security/libcap/cap"

	"github.com/lowport/lowport/caps"
)

const benchText = "cap_net_bind_service,cap_net_raw=ep cap_sys_admin+i"

func BenchmarkParseText(b *testing.B) {
	b.Run("lowport", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_, err := caps.ParseText(benchText)
			must(b, 0, err)
		}
	})
	b.Run("libcap", func(b *testing.B) {
		b.ReportAllocs()
		// libcap's "=" resets what earlier clauses said, so that only this
		// order means the same.
		for b.Loop() {
			_, err := libcap.FromText(benchText)
			must(b, 0, err)
		}
	})
}

func BenchmarkFormatText(b *testing.B) {
	s, err := caps.ParseText(benchText)
	must(b, 0, err)
	b.Run("lowport", func(b *testing.B) {
		b.ReportAllocs()
		var buf [200]byte
		for b.Loop() {
			_ = caps.AppendText(buf[:0], s)
		}
	})
	b.Run("libcap", func(b *testing.B) {
		b.ReportAllocs()
		c, err := libcap.FromText(benchText)
		must(b, 0, err)
		for b.Loop() {
			_ = c.String()
		}
	})
	b.Run("moby", func(b *testing.B) { // prints another form
		b.ReportAllocs()
		c, err := moby.NewPid2(0)
		must(b, 0, err)
		c.Set(moby.EFFECTIVE|moby.PERMITTED, moby.CAP_NET_BIND_SERVICE, moby.CAP_NET_RAW)
		c.Set(moby.INHERITABLE, moby.CAP_SYS_ADMIN)
		for b.Loop() {
			_ = c.String()
		}
	})
	b.Run("syndtr", func(b *testing.B) { // prints another form
		b.ReportAllocs()
		c, err := syndtr.NewPid2(0)
		must(b, 0, err)
		c.Set(syndtr.EFFECTIVE|syndtr.PERMITTED, syndtr.CAP_NET_BIND_SERVICE, syndtr.CAP_NET_RAW)
		c.Set(syndtr.INHERITABLE, syndtr.CAP_SYS_ADMIN)
		for b.Loop() {
			_ = c.String()
		}
	})
}
