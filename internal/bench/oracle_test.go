//go:build linux

package bench

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	libcap "kernel.org/pub/linux/libs/security/libcap/cap"

	"github.com/lowport/lowport/caps"
)

// toLibcap makes a libcap set of the three sets of s.
func toLibcap(t *testing.T, s caps.State) *libcap.Set {
	t.Helper()
	c := libcap.NewSet()
	for flag, set := range map[libcap.Flag]caps.Set{libcap.Effective: s.Effective, libcap.Permitted: s.Permitted, libcap.Inheritable: s.Inheritable} {
		for v := range set.All() {
			if err := c.SetFlag(flag, true, libcap.Value(v)); err != nil {
				t.Fatal(err)
			}
		}
	}
	return c
}

func fromLibcap(t *testing.T, c *libcap.Set) (s caps.State) {
	t.Helper()
	for flag, set := range map[libcap.Flag]*caps.Set{libcap.Effective: &s.Effective, libcap.Permitted: &s.Permitted, libcap.Inheritable: &s.Inheritable} {
		for v := range caps.Cap(64) {
			on, err := c.GetFlag(flag, libcap.Value(v))
			if err != nil {
				t.Fatal(err)
			}
			if on {
				*set = set.With(v)
			}
		}
	}
	return s
}

func sameLast(t *testing.T) {
	if last := libcap.MaxBits() - 1; last != libcap.Value(caps.Last) {
		t.Skipf("this kernel's last capability is %d: libcap's text differs", last)
	}
}

// Sets of every density, with and without unnamed bits.
func randomSet(r *rand.Rand) caps.Set {
	s := caps.Set(r.Uint64())
	for range r.IntN(5) {
		s &= caps.Set(r.Uint64())
	}
	if r.IntN(4) == 0 {
		s = ^s
	}
	if r.IntN(2) == 0 {
		s &= caps.UpTo(caps.Last)
	}
	return s
}

func TestFormatTextLikeLibcap(t *testing.T) {
	sameLast(t)
	r := rand.New(rand.NewPCG(3, 4))
	for range 20000 {
		s := caps.State{Effective: randomSet(r), Permitted: randomSet(r), Inheritable: randomSet(r)}
		if r.IntN(2) == 0 {
			s.Effective = s.Permitted
		}
		c := toLibcap(t, s)
		if got, want := caps.FormatText(s), c.String(); got != want {
			t.Fatalf("%+v: %q, libcap %q", s, got, want)
		}
		again, err := libcap.FromText(caps.FormatText(s))
		if err != nil {
			t.Fatal(err)
		}
		if u := fromLibcap(t, again); u != s {
			t.Fatalf("%q: libcap reads %+v, want %+v", caps.FormatText(s), u, s)
		}
	}
}

// libcap's Go package differs from its C library, which setcap is made with and
// which we follow (see the tests of package caps), in that every "=" resets
// what earlier clauses said, names are in lower case and numbers decimal, "="
// without names takes a second operator, and the empty text is refused. On the
// rest they agree, errors included.
func TestParseTextLikeLibcap(t *testing.T) {
	sameLast(t)
	r := rand.New(rand.NewPCG(5, 6))
	pick := func(from ...string) string { return from[r.IntN(len(from))] }
	accepted, refused := 0, 0
	for range 20000 {
		var clauses []string
		for i := range 1 + r.IntN(3) {
			var list []string
			for range r.IntN(4) {
				list = append(list, caps.Cap(r.IntN(66)).String())
			}
			names := strings.Join(list, ",")
			if r.IntN(6) == 0 {
				names = "all"
			}
			ops := []string{"+", "-"}
			if i == 0 {
				ops = append(ops, "=", "=", "=+", "=-")
			}
			clause := names + pick(ops...) + pick("e", "p", "i", "ep", "eip", "pp", "")
			if names == "" && i == 0 {
				clause = "=" + pick("e", "p", "i", "ep", "eip", "")
			} else if r.IntN(2) == 0 {
				clause += pick("+", "-") + pick("e", "p", "i", "ip")
			}
			clauses = append(clauses, clause)
		}
		text := strings.Join(clauses, pick(" ", "  ", "\t"))
		s, err := caps.ParseText(text)
		c, err2 := libcap.FromText(text)
		if (err == nil) != (err2 == nil) {
			t.Errorf("%q: %v, libcap %v", text, err, err2)
			continue
		}
		if err != nil {
			refused++
			continue
		}
		accepted++
		if want := fromLibcap(t, c); s != want {
			t.Errorf("%q: %+v, libcap %+v", text, s, want)
		}
	}
	t.Log(accepted, "accepted,", refused, "refused")
}

func TestIABLikeLibcap(t *testing.T) {
	sameLast(t)
	r := rand.New(rand.NewPCG(7, 8))
	for range 20000 {
		var items []string
		for range r.IntN(6) {
			c := caps.Cap(r.IntN(int(caps.Last) + 1)) // libcap prints none without a name
			items = append(items, []string{"", "!", "^", "%", "!^", "!%", "^!"}[r.IntN(7)]+c.String())
		}
		text := strings.Join(items, ",")
		if r.IntN(20) == 0 {
			text += "x"
		}
		v, err := caps.ParseIAB(text)
		c, err2 := libcap.IABFromText(text)
		if (err == nil) != (err2 == nil) {
			t.Fatalf("%q: %v, libcap %v", text, err, err2)
		}
		if err == nil && v.String() != c.String() {
			t.Fatalf("%q: %q, libcap %q", text, v, c)
		}
	}
}

func TestNamesLikeLibcap(t *testing.T) {
	for c := range caps.Cap(64) {
		if got, want := c.String(), libcap.Value(c).String(); got != want {
			t.Error(got, want)
		}
		if got, err := libcap.FromName(c.String()); err != nil || fmt.Sprint(got) != c.String() {
			t.Error(got, err)
		}
	}
}
