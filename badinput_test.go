package lowport

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/internal/archive"
	"github.com/lowport/lowport/internal/facts"
	"github.com/lowport/lowport/internal/figures"
	"github.com/lowport/lowport/privport"
)

// forms are what the parsers take. Each parse gives back the text of what it
// understood.
var forms = map[string]struct {
	valid []string
	parse func(string) (string, error)
}{
	"capability": {[]string{"cap_net_bind_service", "41"}, func(in string) (string, error) {
		c, err := caps.ParseCap(in)
		return c.String(), err
	}},
	"mask": {[]string{"0000000000000400", "0x1ffffffffff"}, func(in string) (string, error) {
		s, err := caps.ParseMask(in)
		return s.Hex(), err
	}},
	"set": {[]string{"cap_net_bind_service,cap_net_raw", "NET_ADMIN", "all"}, func(in string) (string, error) {
		s, err := caps.ParseSet(in)
		return s.String(), err
	}},
	"names": {[]string{"CAP_NET_RAW\nCHOWN", "ALL"}, func(in string) (string, error) {
		s, err := caps.ParseNames(strings.Split(in, "\n"))
		return strings.Join(s.OCI(), "\n"), err
	}},
	"systemd list": {[]string{"CAP_NET_RAW CAP_CHOWN", "~CAP_SYS_ADMIN"}, func(in string) (string, error) {
		s, err := caps.Set(0).ParseSystemd(in)
		return s.Systemd(), err
	}},
	"setpriv list": {[]string{"+net_bind_service,-chown", "-all,+net_raw"}, func(in string) (string, error) {
		s, err := caps.Set(0).ParseSetpriv(in)
		return s.Setpriv(), err
	}},
	"cap_text": {[]string{"all=p cap_net_raw+e", "= cap_chown,cap_kill+eip"}, func(in string) (string, error) {
		s, err := caps.ParseText(in)
		return caps.FormatText(s), err
	}},
	"IAB": {[]string{"!%cap_chown,^cap_net_raw,cap_kill"}, func(in string) (string, error) {
		v, err := caps.ParseIAB(in)
		return v.String(), err
	}},
	"file text": {[]string{"cap_net_bind_service=+ep", "cap_net_raw=i"}, func(in string) (string, error) {
		f, err := caps.ParseFile(in)
		return f.String(), err
	}},
	"security.capability": {
		[]string{"\x01\x00\x00\x02\x00\x04\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00", "\x00\x00\x00\x03\x00\x04\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\xe8\x03\x00\x00"},
		func(in string) (string, error) {
			f, err := caps.DecodeFile([]byte(in))
			if err != nil {
				return "", err
			}
			b, err := f.MarshalBinary()
			return string(b), err
		},
	},
	"status": {[]string{"CapInh:\t0000000000000000\nCapPrm:\t00000000000004ff\nCapEff:\t0000000000000400\nCapBnd:\t000001ffffffffff\nCapAmb:\t0000000000000000\nNoNewPrivs:\t1\n"}, func(in string) (string, error) {
		s, err := caps.ParseStatus([]byte(in))
		if err != nil {
			return "", err
		}
		said := strings.NewReplacer(" ", "", "\t", "").Replace(strings.ToLower(in))
		for name, set := range map[string]caps.Set{"Inh": s.Inheritable, "Prm": s.Permitted, "Eff": s.Effective, "Bnd": s.Bounding, "Amb": s.Ambient} {
			if !strings.Contains(said, "cap"+strings.ToLower(name)+":"+set.Hex()) {
				return "", nil // a set that nobody wrote, and "" does not read back
			}
		}
		return in, nil
	}},
	"id map": {[]string{"         0       1000          1\n"}, func(in string) (string, error) {
		m, err := caps.ParseIDMap([]byte(in))
		var b strings.Builder
		for _, r := range m {
			fmt.Fprintln(&b, r.Inside, r.Outside, r.Count)
		}
		return b.String(), err
	}},
	"address": {[]string{"127.0.0.1:443", "[::1]:https", ":80"}, func(in string) (string, error) {
		a, err := privport.Parse(context.Background(), "tcp", in)
		return a.String(), err
	}},
	"recording": {[]string{string(archive.Save(facts.Record{"proc/self/exe": {Data: []byte("/srv/app")}, "user": {Err: "EPERM"}}))}, func(in string) (string, error) {
		r, err := archive.Load([]byte(in))
		return string(archive.Save(r)), err
	}},
}

// Whatever is cut off, dropped, doubled or replaced in what a parser takes: it
// is refused, or understood as something that reads back as the same.
func TestBadInput(t *testing.T) {
	tried, refused := 0, 0
	for name, form := range forms {
		for _, valid := range form.valid {
			if _, err := form.parse(valid); err != nil {
				t.Errorf("%s: %q: %v", name, valid, err)
			}
			for in := range damaged(valid) {
				tried++
				out, err := form.parse(in)
				if err != nil {
					refused++
					continue
				}
				if again, err := form.parse(out); err != nil || again != out {
					t.Errorf("%s: %q is %q, which is %q, %v", name, in, out, again, err)
				}
			}
		}
	}
	figures.Add(t, fmt.Sprintf("bad inputs: %d tried in %d forms, %d refused, the others read back as what they were taken for", tried, len(forms), refused))
}

// damaged are the texts that differ from a valid one in one place.
func damaged(valid string) map[string]bool {
	all := map[string]bool{}
	for i := range len(valid) {
		all[valid[:i]] = true
		all[valid[:i]+valid[i+1:]] = true
		all[valid[:i+1]+valid[i:]] = true
		for _, b := range []byte("\x00\n\t -+=,:;%!^~/\"09afzAZ\x7f\x80\xff") {
			all[valid[:i]+string(rune(b))+valid[i+1:]] = true
			all[valid[:i]+string([]byte{b})+valid[i+1:]] = true
		}
	}
	delete(all, valid)
	return all
}
