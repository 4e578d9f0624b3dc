package caps

import (
	"strings"
	"testing"
	"testing/fstest"
)

// status is what /proc/PID/status of Linux 6.18 says, shortened.
const status = `Name:	server
Umask:	0022
State:	S (sleeping)
Pid:	4242
Uid:	1000	1000	1000	1000
Groups:	4 24 
SigCgt:	fffffffdffc1feff
CapInh:	0000000000000400
CapPrm:	0000000000002400
CapEff:	0000000000000400
CapBnd:	000001ffffffffff
CapAmb:	0000000000000400
NoNewPrivs:	1
Seccomp:	2
Seccomp_filters:	1
`

func TestParseStatus(t *testing.T) {
	want := State{
		Inheritable: SetOf(NET_BIND_SERVICE),
		Permitted:   SetOf(NET_BIND_SERVICE, NET_RAW),
		Effective:   SetOf(NET_BIND_SERVICE),
		Bounding:    UpTo(Last),
		Ambient:     SetOf(NET_BIND_SERVICE),
		NoNewPrivs:  true,
	}
	got, err := ParseStatus([]byte(status))
	if err != nil || got != want {
		t.Errorf("got %+v, %v\nwant %+v", got, err, want)
	}
	text := []byte(status)
	if n := testing.AllocsPerRun(10, func() { _, _ = ParseStatus(text) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestParseStatusRefuses(t *testing.T) {
	replace := func(old, new string) string { return strings.Replace(status, old, new, 1) }
	for name, text := range map[string]string{
		"empty":             "",
		"garbage":           "\x00\xff:\n::::\n",
		"no CapInh":         replace("CapInh", "CapInx"),
		"no CapPrm":         replace("CapPrm", "capprm"),
		"no CapEff":         replace("CapEff:", "CapEff"),
		"no CapBnd":         replace("CapBnd:", " CapBnd:"),
		"no CapAmb":         replace("CapAmb:\t0000000000000400\n", ""),
		"no NoNewPrivs":     replace("NoNewPrivs:\t1\n", ""),
		"empty value":       replace("CapEff:\t0000000000000400", "CapEff:\t"),
		"not hex":           replace("CapEff:\t0000000000000400", "CapEff:\t00000000000004g0"),
		"0x":                replace("CapEff:\t0000000000000400", "CapEff:\t0x400"),
		"sign":              replace("CapEff:\t0000000000000400", "CapEff:\t-400"),
		"17 digits":         replace("CapEff:\t", "CapEff:\t0"),
		"two values":        replace("CapEff:\t0000000000000400", "CapEff:\t400 400"),
		"repeated":          status + "CapEff:\t0000000000000400\n",
		"repeated, empty":   status + "CapEff:\n",
		"NoNewPrivs 2":      replace("NoNewPrivs:\t1", "NoNewPrivs:\t2"),
		"cut within a line": strings.TrimSuffix(status[:strings.Index(status, "Seccomp:")], "\n"),
		"huge value":        replace("CapEff:\t", "CapEff:\t"+strings.Repeat("0", 1<<20)),
	} {
		s, err := ParseStatus([]byte(text))
		if err == nil || s != (State{}) {
			t.Errorf("%s: got %+v, %v", name, s, err)
		} else if len(err.Error()) > 200 {
			t.Errorf("%s: an error of %d bytes", name, len(err.Error()))
		}
	}
	for n := range strings.Index(status, "Seccomp:") {
		if s, err := ParseStatus([]byte(status[:n])); err == nil {
			t.Errorf("cut after %d bytes: no error, %+v", n, s)
		}
	}
}

func TestReadStatus(t *testing.T) {
	proc := fstest.MapFS{
		"7/status": {Data: []byte(status)},
		"8/status": {Data: []byte("Name:\tx\n")},
	}
	if s, err := ReadStatus(proc, 7); err != nil || s.Effective != SetOf(NET_BIND_SERVICE) {
		t.Error(s, err)
	}
	for _, pid := range []int{8, 9, -1} {
		if s, err := ReadStatus(proc, pid); err == nil {
			t.Errorf("pid %d: no error, %+v", pid, s)
		}
	}
}

func FuzzParseStatus(f *testing.F) {
	f.Add([]byte(status))
	f.Fuzz(func(t *testing.T, text []byte) {
		s, err := ParseStatus(text)
		if err != nil {
			if s != (State{}) {
				t.Errorf("%v, and %+v", err, s)
			}
			return
		}
		again := "CapInh:\t" + s.Inheritable.Hex() + "\nCapPrm:\t" + s.Permitted.Hex() + "\nCapEff:\t" + s.Effective.Hex() +
			"\nCapBnd:\t" + s.Bounding.Hex() + "\nCapAmb:\t" + s.Ambient.Hex() + "\nNoNewPrivs:\t0\n"
		if s.NoNewPrivs {
			again = strings.Replace(again, "\t0\n", "\t1\n", 1)
		}
		if u, err := ParseStatus([]byte(again)); err != nil || u != s {
			t.Errorf("%+v is read back as %+v, %v", s, u, err)
		}
	})
}
