package kernel_test

import (
	. "github.com/lowport/lowport/internal/kernel"
	"testing"

	"github.com/lowport/lowport/internal/facts"
)

// A policy about one protocol says nothing about the other.
func TestPolicyOfProtocol(t *testing.T) {
	probes := func(tcp, udp string) facts.Facts {
		return with(web(), func(f *facts.Facts) {
			f.Policy.Probes = known([]facts.Probe{{Network: "tcp4", Errno: tcp}, {Network: "tcp6", Errno: tcp}, {Network: "udp4", Errno: udp}, {Network: "udp6", Errno: udp}})
		})
	}
	for _, tt := range []struct {
		f        facts.Facts
		tcp, udp Answer
	}{
		{probes("EACCES", ""), No, Yes},
		{probes("", "EPERM"), Yes, No},
		{probes("", ""), Yes, Yes},
	} {
		if tcp, udp := Policy(&tt.f, Goal{Network: "tcp", Port: 53}), Policy(&tt.f, Goal{Network: "udp", Port: 53}); tcp != tt.tcp || udp != tt.udp {
			t.Errorf("%v: tcp %v, udp %v, want %v, %v", tt.f.Policy.Probes.Value, tcp, udp, tt.tcp, tt.udp)
		}
		if got := Policy(&tt.f, Goal{Network: "udp4", Port: 53}); got != tt.udp {
			t.Errorf("%v: udp4 %v, want %v", tt.f.Policy.Probes.Value, got, tt.udp)
		}
	}
}
