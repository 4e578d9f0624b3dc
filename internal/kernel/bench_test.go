package kernel

import "testing"

func BenchmarkExplain(b *testing.B) {
	f := machines(&testing.T{})["no-capability"].record.Facts()
	g := Goal{Network: "tcp", Port: 443, Raises: true, MPTCP: true, Refused: Refusal{Errno: 13, Call: "bind"}}
	b.ReportAllocs()
	for range b.N {
		Explain(&f, g, nil)
	}
}
