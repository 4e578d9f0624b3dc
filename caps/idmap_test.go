package caps

import (
	"fmt"
	"strings"
	"testing"
)

func TestIDMap(t *testing.T) {
	full, err := ParseIDMap([]byte("         0          0 4294967295\n"))
	if out, ok := full.Outside(1000); err != nil || !ok || out != 1000 {
		t.Error(full, err)
	}
	if _, ok := full.Outside(1<<32 - 1); ok {
		t.Error("-1 is mapped")
	}
	m, err := ParseIDMap([]byte("0 1000 1\n1 100000 65536\n"))
	if err != nil {
		t.Fatal(err)
	}
	for in, out := range map[uint32]uint32{0: 1000, 1: 100000, 65536: 165535} {
		if got, ok := m.Outside(in); !ok || got != out {
			t.Errorf("%d is %d outside, %v", in, got, ok)
		}
		if got, ok := m.Inside(out); !ok || got != in {
			t.Errorf("%d is %d inside, %v", out, got, ok)
		}
	}
	if _, ok := m.Outside(65537); ok {
		t.Error("65537 is mapped")
	}
	if _, ok := m.Inside(0); ok {
		t.Error("root is mapped")
	}
	if m, err := ParseIDMap(nil); err != nil || len(m) != 0 {
		t.Error(m, err)
	}
	for _, text := range []string{"0\n", "0 0\n", "0 0 0\n", "0 0 1 1\n", "a b c\n", "-1 0 1\n", "0 0 4294967296\n", "1 1 4294967295\n", "0 0 10\n5 100 1\n", "0 0 10\n100 9 1\n", "\n", strings.Repeat("0 ", 1<<20), lines(341)} {
		if m, err := ParseIDMap([]byte(text)); err == nil || len(err.Error()) > 200 {
			t.Errorf("%.40q: %v, %v", text, m, err)
		}
	}
	if m, err := ParseIDMap([]byte(lines(340))); err != nil || len(m) != 340 {
		t.Error(len(m), err)
	}
}

func lines(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "%d %d 1\n", i, i)
	}
	return b.String()
}

func FuzzIDMap(f *testing.F) {
	f.Add([]byte("0 1000 1\n1 100000 65536\n"), uint32(7))
	f.Fuzz(func(t *testing.T, text []byte, id uint32) {
		m, err := ParseIDMap(text)
		if err != nil {
			return
		}
		if out, ok := m.Outside(id); ok {
			if in, ok := m.Inside(out); !ok || in != id {
				t.Errorf("%v: %d is %d outside, which is %d inside", m, id, out, in)
			}
		}
	})
}
