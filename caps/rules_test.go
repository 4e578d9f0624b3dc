package caps

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"
)

// Ranges of an id map may touch and not overlap, inside or outside (map_write).
func TestIDMapRanges(t *testing.T) {
	for text, want := range map[string]bool{
		"0 1000 5\n5 2000 5\n": true, "5 2000 5\n0 1000 5\n": true, "0 1000 5\n10 1005 5\n": true, "10 1005 5\n0 1000 5\n": true,
		"0 1000 5\n4 2000 5\n": false, "4 2000 5\n0 1000 5\n": false, "0 1000 5\n10 1004 5\n": false, "10 1004 5\n0 1000 5\n": false,
		"0 0 4294967295\n": true, "1 0 4294967295\n": false, "0 1 4294967295\n": false, "0 0 0\n": false,
		"0 0 1" + strings.Repeat(" ", 94) + "\n": true, "0 0 1" + strings.Repeat(" ", 95) + "\n": false,
	} {
		if m, err := ParseIDMap([]byte(text)); (err == nil) != want {
			t.Errorf("%q: %v, %v", text, m, err)
		}
	}
	m := IDMap{{0, 1000, 5}}
	for id, want := range map[uint32]bool{999: false, 1000: true, 1004: true, 1005: false} {
		if in, ok := m.Inside(id); ok != want || ok && in != id-1000 {
			t.Errorf("%d is %d inside, %v", id, in, ok)
		}
		if out, ok := m.Outside(id - 1000); ok != want || ok && out != id {
			t.Errorf("%d is %d outside, %v", id-1000, out, ok)
		}
	}
}

// A capability is found by name, with or without "cap_", in any case, or by its number up to 63.
func TestLookup(t *testing.T) {
	for name, want := range map[string]Cap{
		"chown": CHOWN, "CAP_CHOWN": CHOWN, "Cap_Kill": KILL, "0": CHOWN, "5": KILL, "9": LINUX_IMMUTABLE, "10": NET_BIND_SERVICE, "63": 63, "cap_41": 41,
	} {
		if c, ok := lookup(name); !ok || c != want {
			t.Errorf("%s: %v, %v", name, c, ok)
		}
	}
	for _, name := range []string{"", "cap_", "64", "70", "05", "100", ":", "1:", "nonsense", "cap_nonsense"} {
		if c, ok := lookup(name); ok {
			t.Errorf("%q: %v", name, c)
		}
	}
	for c, want := range map[byte]bool{' ': true, '\t': true, '\n': true, '\v': true, '\f': true, '\r': true, '\b': false, 0x0e: false, 'a': false, 0: false} {
		if isSpace(c) != want { // isspace(3) in the C locale
			t.Errorf("%q is a space: %v", c, !want)
		}
	}
}

// What a misspelt name may mean: of two letters only what is one letter away.
func TestNearestShort(t *testing.T) {
	for name, want := range map[string]string{"bp": "cap_bpf", "ch": "", "x": "", "net_bind": "cap_net_bind_service", "netbind": "cap_net_bind_service", "kil": "cap_kill", "lkil": "cap_kill", "cap_chwon": "cap_chown"} {
		got := nearest(name)
		if want == "" && len(got) > 0 || want != "" && (len(got) == 0 || got[0].String() != want) {
			t.Errorf("%s: %v, want %q", name, got, want)
		}
	}
	for _, tt := range []struct {
		a, b string
		want int
	}{{"kitten", "sitting", 3}, {"ab", "ba", 1}, {"xab", "xba", 1}, {"abc", "", 3}, {"", "abc", 3}, {"kill", "kill", 0}, {"kill", "kil", 1}} {
		if got := distance(tt.a, tt.b); got != tt.want {
			t.Errorf("%s to %s: %d, want %d", tt.a, tt.b, got, tt.want)
		}
	}
}

// A byteOrder is one of package binary.
type byteOrder interface {
	binary.ByteOrder
	binary.AppendByteOrder
}

// made is an ELF file with these program headers, each of a type and its bytes (elf(5)).
func made(wide bool, order byteOrder, kind uint16, parts ...struct {
	is   uint32
	data []byte
}) []byte {
	headSize, partSize := 52, 32
	if wide {
		headSize, partSize = 64, 56
	}
	at := headSize + len(parts)*partSize
	b := make([]byte, at)
	copy(b, "\x7fELF\x01\x01")
	if wide {
		b[4] = 2
	}
	if order == byteOrder(binary.BigEndian) {
		b[5] = 2
	}
	order.PutUint16(b[16:], kind)
	if wide {
		order.PutUint64(b[32:], uint64(headSize))
		order.PutUint16(b[54:], uint16(partSize))
		order.PutUint16(b[56:], uint16(len(parts)))
	} else {
		order.PutUint32(b[28:], uint32(headSize))
		order.PutUint16(b[42:], uint16(partSize))
		order.PutUint16(b[44:], uint16(len(parts)))
	}
	for i, p := range parts {
		h := b[headSize+i*partSize:]
		order.PutUint32(h, p.is)
		if wide {
			order.PutUint64(h[8:], uint64(len(b)))
			order.PutUint64(h[32:], uint64(len(p.data)))
		} else {
			order.PutUint32(h[4:], uint32(len(b)))
			order.PutUint32(h[16:], uint32(len(p.data)))
		}
		b = append(b, p.data...)
	}
	return b
}

// A loader is a shared object with a name and without an interpreter; a program of Go has its note,
// also behind another one. In both byte orders, of 32 bits and of 64.
func TestELF(t *testing.T) {
	type part = struct {
		is   uint32
		data []byte
	}
	for _, order := range []byteOrder{binary.LittleEndian, binary.BigEndian} {
		for _, wide := range []bool{false, true} {
			dynamic := func(tags ...uint64) (b []byte) {
				for _, tag := range tags {
					if wide {
						b = order.AppendUint64(order.AppendUint64(b, tag), 1)
					} else {
						b = order.AppendUint32(order.AppendUint32(b, uint32(tag)), 1)
					}
				}
				return b
			}
			note := func(name, desc string, kind uint32) []byte {
				b := order.AppendUint32(order.AppendUint32(order.AppendUint32(nil, uint32(len(name))), uint32(len(desc))), kind)
				pad := func(s string) string { return s + strings.Repeat("\x00", -len(s)&3) }
				return append(b, pad(name)+pad(desc)...)
			}
			golang, gnu := note("Go\x00\x00", "abcd", goBuildID), note("GNU\x00", "abcde", 3)
			named, unnamed := part{ptDynamic, dynamic(1, dtSoname)}, part{ptDynamic, dynamic(1, 2)}
			for name, tt := range map[string]struct {
				kind           uint16
				parts          []part
				loader, golang bool
			}{
				"a loader":                         {etDyn, []part{named}, true, false},
				"a library that starts itself":     {etDyn, []part{{ptInterp, []byte("/lib/ld.so\x00")}, named}, false, false},
				"a program":                        {2, []part{named}, false, false},
				"a static one that may be moved":   {etDyn, []part{unnamed}, false, false},
				"a program of Go":                  {2, []part{{ptNote, golang}}, false, true},
				"one of Go behind another note":    {2, []part{{ptNote, append(bytes.Clone(gnu), golang...)}}, false, true},
				"a note that only ends like one":   {2, []part{{ptNote, golang[:12]}}, false, false},
				"another note":                     {2, []part{{ptNote, gnu}}, false, false},
				"another note by the name":         {2, []part{{ptNote, note("Go\x00\x00", "abcd", 3)}}, false, false},
				"a note of that kind by another":   {2, []part{{ptNote, note("GNU\x00", "abcd", goBuildID)}}, false, false},
				"a note that is longer than it is": {2, []part{{ptNote, append(note("GNU\x00", "abcd", 3)[:16], golang...)}}, false, false},
			} {
				got, err := readELF(bytes.NewReader(made(wide, order, tt.kind, tt.parts...)))
				if err != nil || got.loader != tt.loader || got.golang != tt.golang {
					t.Errorf("%s, wide %v, %v: %+v, %v", name, wide, order, got, err)
				}
			}
			whole := made(wide, order, etDyn, named)
			if _, err := readELF(bytes.NewReader(whole[:len(whole)-len(named.data)-1])); err == nil {
				t.Errorf("wide %v, %v: a torn table is read", wide, order)
			}
		}
	}
}
