package caps

import (
	"errors"
	"flag"
	"io"
	"strings"
	"testing"
)

func TestParseCap(t *testing.T) {
	for c := range Cap(64) {
		for _, name := range []string{c.String(), strings.ToUpper(c.String()), strings.TrimPrefix(c.String(), "cap_")} {
			if got, err := ParseCap(name); err != nil || got != c {
				t.Errorf("ParseCap(%q) = %v, %v", name, got, err)
			}
		}
	}
	for _, name := range []string{"", "cap_", "64", "010", "-1", "+1", "0x0a", "all", " cap_chown", "cap_chown ", "cap_cap_chown", "cap_chown\x00", "unknown", strings.Repeat("a", 1<<20)} {
		if got, err := ParseCap(name); err == nil {
			t.Errorf("ParseCap(%.20q) = %v", name, got)
		} else if len(err.Error()) > 300 {
			t.Errorf("ParseCap(%.20q): an error of %d bytes", name, len(err.Error()))
		}
	}
}

func TestNearest(t *testing.T) {
	for text, want := range map[string]string{
		"cap_chown,cap_net_bind_servce": `capability list "cap_chown,cap_net_bind_servce": byte 10: no capability is named "cap_net_bind_servce"; nearest is cap_net_bind_service`,
		"NET_BIND":                      `capability list "NET_BIND": byte 0: no capability is named "NET_BIND"; nearest is cap_net_bind_service`,
		"sys_amdin":                     `capability list "sys_amdin": byte 0: no capability is named "sys_amdin"; nearest is cap_sys_admin`,
		"setui":                         `capability list "setui": byte 0: no capability is named "setui"; nearest is cap_setuid or cap_setgid`,
		"xyzzy":                         `capability list "xyzzy": byte 0: no capability is named "xyzzy"`,
		"\x1b[31m":                      `capability list "\x1b[31m": byte 0: no capability is named "\x1b[31m"`,
	} {
		_, err := ParseSet(text)
		if err == nil || err.Error() != want {
			t.Errorf("%q: %v", text, err)
		}
		if e := (*ParseError)(nil); !errors.As(err, &e) {
			t.Errorf("%q: %T", text, err)
		}
	}
}

func TestLists(t *testing.T) {
	web := SetOf(NET_BIND_SERVICE, NET_RAW, 63)
	for _, text := range []string{
		web.String(), web.Systemd(), strings.Join(web.OCI(), ","), strings.Join(web.Kubernetes(), ", "),
		"cap_net_bind_service,cap_net_raw,63", " NET_RAW\tnet_bind_service\n63 ", ",63,,net_raw,net_bind_service,",
	} {
		if got, err := ParseSet(text); err != nil || got != web {
			t.Errorf("ParseSet(%q) = %v, %v", text, got, err)
		}
	}
	if got := strings.Join(web.OCI(), " "); got != "CAP_NET_BIND_SERVICE CAP_NET_RAW 63" {
		t.Error(got)
	}
	if got := strings.Join(web.Kubernetes(), " "); got != "NET_BIND_SERVICE NET_RAW 63" {
		t.Error(got)
	}
	if got, err := ParseNames([]string{"ALL"}); err != nil || got != UpTo(Last) {
		t.Error(got, err)
	}
	if got, err := ParseNames([]string{"CHOWN,KILL"}); err == nil {
		t.Error(got)
	}
	if got, err := ParseSet(""); err != nil || got != 0 {
		t.Error(got, err)
	}
}

func TestSystemd(t *testing.T) {
	all := UpTo(Last)
	for _, test := range []struct {
		values            []string
		bounding, ambient Set
	}{
		{nil, all, 0},
		{[]string{""}, 0, 0},
		{[]string{"~"}, all, all},
		{[]string{"CAP_CHOWN CAP_KILL"}, SetOf(CHOWN, KILL), SetOf(CHOWN, KILL)},
		{[]string{"CAP_CHOWN", "cap_kill\t5"}, SetOf(CHOWN, KILL), SetOf(CHOWN, KILL)},
		{[]string{"~CAP_CHOWN"}, all.Without(CHOWN), all.Without(CHOWN)},
		{[]string{"~CAP_CHOWN", "~CAP_KILL"}, all.Without(CHOWN).Without(KILL), all.Without(CHOWN).Without(KILL)},
		{[]string{"CAP_CHOWN CAP_KILL", "~CAP_KILL"}, SetOf(CHOWN), SetOf(CHOWN)},
		{[]string{"CAP_CHOWN", "", "CAP_KILL"}, SetOf(KILL), SetOf(KILL)},
		{[]string{"CAP_CHOWN", "~"}, all, all},
		{[]string{"10"}, SetOf(NET_BIND_SERVICE), SetOf(NET_BIND_SERVICE)},
		{[]string{"0xa 012", "0o12 0b1010 +10 0XA"}, SetOf(NET_BIND_SERVICE), SetOf(NET_BIND_SERVICE)},
		{[]string{"010 63"}, SetOf(SETPCAP, 63), SetOf(SETPCAP, 63)},
		{[]string{"0"}, SetOf(CHOWN), SetOf(CHOWN)},
		// Where the two settings part: what they began with is replaced.
		{[]string{"~", "CAP_KILL"}, SetOf(KILL), all},
		{[]string{"CAP_CHOWN", "", "~CAP_KILL"}, 0, all.Without(KILL)},
		{[]string{"CAP_CHOWN", "~CAP_CHOWN", "~CAP_KILL"}, 0, all.Without(KILL)},
	} {
		if got, err := all.ParseSystemd(test.values...); err != nil || got != test.bounding {
			t.Errorf("CapabilityBoundingSet=%q: %v, %v", test.values, got, err)
		}
		if got, err := Set(0).ParseSystemd(test.values...); err != nil || got != test.ambient {
			t.Errorf("AmbientCapabilities=%q: %v, %v", test.values, got, err)
		}
	}
	for text, offset := range map[string]int{
		"~CAP_CHOWN CAP_KIL": 11, "KILL": 0, "~all": 1, "CAP_CHOWN ALL": 10, "CAP_CHOWN,CAP_KILL": 0, "cap_41": 0, "64": 0,
		"0x40": 0, "-1": 0, "08": 0, "1_0": 0, "0B1010": 0, "0O12": 0, "+0b1010": 0, "0xg": 0, "10x": 0, "0x": 0, "0b": 0, "99999999999999999999": 0,
	} {
		got, err := all.ParseSystemd(text)
		if e := (*ParseError)(nil); !errors.As(err, &e) || e.Offset != offset || got != 0 {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
}

func TestSetpriv(t *testing.T) {
	from := SetOf(CHOWN, KILL)
	for text, want := range map[string]Set{
		"+net_raw":                from.With(NET_RAW),
		"-chown,+net_raw":         SetOf(KILL, NET_RAW),
		"-all,+net_bind_service":  SetOf(NET_BIND_SERVICE),
		"+all,-cap_41":            UpTo(Last),
		"-all,+cap_63,+CAP_CHOWN": SetOf(CHOWN, 63),
	} {
		if got, err := from.ParseSetpriv(text); err != nil || got != want {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
	for text, offset := range map[string]int{"": 0, "chown": 0, "+chown,": 7, "+chown,kill": 7, "+chown,-kil": 8, "+": 1} {
		got, err := from.ParseSetpriv(text)
		if e := (*ParseError)(nil); !errors.As(err, &e) || e.Offset != offset {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
	for _, s := range []Set{0, from, ^Set(0)} {
		if got, err := from.ParseSetpriv(s.Setpriv()); err != nil || got != s {
			t.Errorf("%q: %v, %v", s.Setpriv(), got, err)
		}
	}
}

func TestFlag(t *testing.T) {
	var s Set
	var c Cap
	fs := flag.NewFlagSet("", flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	fs.Var(&s, "caps", "")
	fs.Var(&c, "cap", "")
	if err := fs.Parse([]string{"-caps", "net_raw,chown", "-cap=41"}); err != nil || s != SetOf(CHOWN, NET_RAW) || c != 41 {
		t.Error(s, c, err)
	}
	if err := fs.Parse([]string{"-caps", "net_rwa"}); err == nil || s != SetOf(CHOWN, NET_RAW) {
		t.Error(s, err)
	}
}

func FuzzParseSet(f *testing.F) {
	f.Add("cap_chown,63 ALL")
	f.Fuzz(func(t *testing.T, text string) {
		s, err := ParseSet(text)
		if err != nil {
			_ = err.Error()
			return
		}
		for _, form := range []string{s.String(), s.Systemd()} {
			if again, err := ParseSet(form); err != nil || again != s {
				t.Errorf("%q: %v, %v", form, again, err)
			}
		}
		if again, err := ParseMask(s.Decode()); err != nil || again != s {
			t.Errorf("%q: %v, %v", s.Decode(), again, err)
		}
		if again, err := Set(0).ParseSetpriv(s.Setpriv()); err != nil || again != s {
			t.Errorf("%q: %v, %v", s.Setpriv(), again, err)
		}
		if again, err := Set(0).ParseSystemd(s.Systemd()); err != nil || again != s {
			t.Errorf("%q: %v, %v", s.Systemd(), again, err)
		}
	})
}

// Whatever the text, no parser panics, and what one reads it reads again.
func FuzzForms(f *testing.F) {
	f.Add("0x0000000000000400=cap_net_bind_service")
	f.Add("-all,+cap_41,+net_raw")
	f.Add("~CAP_CHOWN CAP_KILL")
	f.Fuzz(func(t *testing.T, text string) {
		for form, parse := range map[string]func(string) (Set, error){
			"mask":    ParseMask,
			"setpriv": UpTo(20).ParseSetpriv,
			"systemd": func(s string) (Set, error) { return Set(0).ParseSystemd(strings.Split(s, "\n")...) },
			"names":   func(s string) (Set, error) { return ParseNames(strings.Split(s, "\n")) },
		} {
			s, err := parse(text)
			if e := (*ParseError)(nil); err != nil && (!errors.As(err, &e) || s != 0 || e.Offset < 0 || e.Offset > len(e.Text)) {
				t.Errorf("%s: %v, %v", form, s, err)
			} else if err != nil && len(err.Error()) > 2000 {
				t.Errorf("%s: an error of %d bytes", form, len(err.Error()))
			}
			if again, err := ParseMask(s.Hex()); err != nil || again != s {
				t.Errorf("%s: %v, %v", s.Hex(), again, err)
			}
		}
	})
}
