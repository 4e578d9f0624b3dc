package caps

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/lowport/lowport/internal/needs"
)

// tool returns the path of a program of libcap2-bin; without it the test is
// skipped, or fails where LOWPORT_LAB=require.
func tool(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		path, err = exec.LookPath("/usr/sbin/" + name)
	}
	if err != nil {
		needs.Lack(t, name+" (package libcap2-bin)")
	}
	return path
}

// randomText makes a text of clauses, mostly good.
func randomText(r *rand.Rand) string {
	var clauses []string
	for range r.IntN(4) {
		var list []string
		for range r.IntN(4) {
			c := Cap(r.IntN(64))
			switch r.IntN(8) {
			case 0:
				list = append(list, strings.ToUpper(c.String()))
			case 1:
				list = append(list, fmt.Sprintf("%#x", uint(c)))
			case 2:
				list = append(list, fmt.Sprintf("%#o", uint(c)))
			case 3: // first: libcap forgets the numbers above Last before it
				list = append([]string{"all"}, list...)
			default:
				list = append(list, c.String())
			}
		}
		clause := strings.Join(list, ",")
		for range 1 + r.IntN(2) {
			clause += []string{"=", "+", "-", "=+", "=-"}[r.IntN(5)] + []string{"", "e", "p", "i", "ep", "ip", "eip"}[r.IntN(7)]
		}
		if r.IntN(30) == 0 {
			clause = clause[:r.IntN(len(clause)+1)]
		}
		clauses = append(clauses, clause)
	}
	return strings.Join(clauses, " ")
}

// setcap -v compares the attribute that this package wrote for a text with
// what libcap makes of the text; getcap prints it.
func TestTextLikeSetcap(t *testing.T) {
	needs.Root(t)
	setcap, getcap := tool(t, "setcap"), tool(t, "getcap")
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, []byte("\x7fELF"), 0o700); err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(1, 2))
	counts := map[string]int{}
	for range 500 {
		text := randomText(r)
		f, err := ParseFile(text)
		out, toolErr := exec.Command(setcap, text, path).CombinedOutput()
		if (err == nil) != (toolErr == nil) {
			t.Errorf("%q: %v; setcap says %v: %s", text, err, toolErr, out)
			continue
		}
		if err != nil {
			counts["refused"]++
			continue
		}
		counts["accepted"]++
		if got, err := ReadFile(path); err != nil || got != f {
			t.Errorf("%q: setcap wrote %+v, %v; we make it %+v", text, got, err, f)
		}
		out, toolErr = exec.Command(getcap, path).CombinedOutput()
		if want := path + " " + f.String() + "\n"; toolErr != nil || string(out) != want {
			t.Errorf("%q: getcap prints %q, we %q", text, out, want)
		}
	}
	t.Log(counts)
}

func TestDecodeLikeCapsh(t *testing.T) {
	capsh := tool(t, "capsh")
	r := rand.New(rand.NewPCG(1, 2))
	for i := range 100 {
		s := Set(r.Uint64()) >> (i % 64)
		out, err := exec.Command(capsh, "--decode="+s.Hex()).Output()
		if got := s.Decode() + "\n"; err != nil || got != string(out) {
			t.Errorf("%s: %q, capsh prints %q, %v", s.Hex(), got, out, err)
		}
		if again, err := ParseMask(strings.TrimSuffix(string(out), "\n")); err != nil || again != s {
			t.Errorf("%s: %v, %v", out, again, err)
		}
	}
}

// capsh reads an IAB and prints it as current. What is blocked stays as the
// bounding set has it, so the sets here are inheritable and blocked ones.
func TestIABLikeCapsh(t *testing.T) {
	needs.Root(t)
	capsh := tool(t, "capsh")
	self, err := Self()
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(1, 2))
	for range 50 {
		some := func() Set { return Set(r.Uint64()&r.Uint64()) & self.Bounding & self.Permitted }
		v := IAB{Inheritable: some(), Blocked: some() | UpTo(Last)&^self.Bounding}
		v.Ambient = v.Inheritable & some()
		v.Blocked = v.Blocked.Without(SETPCAP)
		out, err := exec.Command(capsh, "--iab="+v.String(), "--current").CombinedOutput()
		_, current, _ := strings.Cut(string(out), "Current IAB: ")
		current = strings.TrimSpace(current)
		if again, e := ParseIAB(current); err != nil || e != nil || again != v || current != v.String() {
			t.Errorf("%q: capsh makes it %q, %v, %v", v, current, err, e)
		}
	}
}

func TestProcessLikeGetpcaps(t *testing.T) {
	getpcaps := tool(t, "getpcaps")
	last, err := LastCap()
	if err != nil || last != Last {
		t.Skipf("the last capability of this kernel is %d, %v: libcap's text differs", last, err)
	}
	for _, pid := range []int{1, os.Getpid()} {
		s, err := Process(pid)
		if err != nil {
			t.Error(err)
			continue
		}
		out, err := exec.Command(getpcaps, strconv.Itoa(pid)).Output()
		if want := fmt.Sprintf("%d: %s\n", pid, FormatText(s)); err != nil || string(out) != want {
			t.Errorf("getpcaps prints %q, %v, we %q", out, err, want)
		}
		out, err = exec.Command(getpcaps, "--iab", strconv.Itoa(pid)).Output()
		want := "\n" // getpcaps prints no brackets around nothing: all is in the bounding set
		if iab := s.IAB(last).String(); iab != "" {
			want = "[" + iab + "]\n"
		}
		if err != nil || !strings.HasSuffix(string(out), want) {
			t.Errorf("getpcaps --iab prints %q, %v, we %q", out, err, want)
		}
	}
}

// systemd-analyze says of a unit which capabilities its bounding set lacks, and
// whether any is ambient.
func TestSystemdLikeSystemd(t *testing.T) {
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		needs.Lack(t, "systemd-analyze (package systemd)")
	}
	if out, err := exec.Command(analyze, "security", "--offline=true", "--help").CombinedOutput(); err != nil {
		needs.Lack(t, "a systemd-analyze security that works offline: "+string(out))
	}
	unit := filepath.Join(t.TempDir(), "x.service")
	ask := func(setting string, values []string) map[string]bool {
		text := "[Service]\nExecStart=/bin/true\n"
		for _, v := range values {
			text += setting + "=" + v + "\n"
		}
		if err := os.WriteFile(unit, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		out, err := exec.Command(analyze, "security", "--offline=true", "--json=short", unit).Output()
		var fields []struct {
			Name string `json:"json_field"`
			Set  bool
		}
		if err != nil || json.Unmarshal(out, &fields) != nil {
			t.Fatalf("%q: %v: %s", values, err, out)
		}
		lacks := map[string]bool{}
		for _, f := range fields {
			lacks[f.Name] = f.Set
		}
		return lacks
	}
	words := []string{"CAP_KILL", "cap_sys_time", "5", "CAP_SYS_BOOT", "CAP_WAKE_ALARM CAP_KILL", "", "", "KILL", "all", "CAP_KILL,CAP_SYS_TIME"}
	r := rand.New(rand.NewPCG(1, 2))
	for range 30 {
		var values, read []string
		for range 1 + r.IntN(4) {
			value := []string{"", "~"}[r.IntN(2)] + words[r.IntN(len(words))]
			values = append(values, value)
			if _, err := Set(0).ParseSystemd(value); err != nil {
				value = value[:strings.IndexByte(value, '~')+1] // nothing in it that systemd knows
			}
			read = append(read, value)
		}
		bounding, err := UpTo(Last).ParseSystemd(read...)
		if err != nil {
			t.Fatal(err)
		}
		lacks := ask("CapabilityBoundingSet", values)
		for _, c := range []Cap{KILL, SYS_TIME, SYS_BOOT, WAKE_ALARM} {
			if got, ok := lacks["CapabilityBoundingSet_"+strings.ToUpper(c.String())]; !ok || got == bounding.Has(c) {
				t.Errorf("CapabilityBoundingSet=%q: we make it %v; systemd: lacks %v: %v, %v", values, bounding, c, got, ok)
			}
		}
		ambient, err := Set(0).ParseSystemd(read...)
		if lacks := ask("AmbientCapabilities", values); err != nil || lacks["AmbientCapabilities"] != (ambient == 0) {
			t.Errorf("AmbientCapabilities=%q: we make it %v, %v; systemd: none is %v", values, ambient, err, lacks["AmbientCapabilities"])
		}
	}
}
