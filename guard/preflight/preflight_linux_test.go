package preflight

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/guard"
	"github.com/lowport/lowport/guard/report"
	"github.com/lowport/lowport/internal/archive"
	"github.com/lowport/lowport/internal/ask"
	"github.com/lowport/lowport/internal/facts"
	"github.com/lowport/lowport/internal/kernel"
	"github.com/lowport/lowport/internal/launch"
	"github.com/lowport/lowport/internal/live"
	"github.com/lowport/lowport/internal/program"
	"github.com/lowport/lowport/privport"
)

// What is predicted for this very program is what then comes, on ports and
// addresses of every kind.
func TestPreflightOfSelf(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	for _, address := range []string{ln.Addr().String(), "127.77.7.7:1", ":0", "localhost", "[ff02::1]:1", "udp/127.77.7.7:1", "[fe80::1]:1"} {
		predicted, errP := Bind(Launch{Binary: self}, address)
		var came report.Report
		s, err := guard.BindAll(context.Background(), []string{address}, guard.ReportTo(&came))
		if err == nil {
			s.Close()
		}
		if (errP == nil) != (err == nil) || predicted.OK != came.OK || predicted.Via != came.Via {
			t.Errorf("%s: predicted %v, came %v", address, errP, err)
			continue
		}
		if predicted.Subject != "preflight "+came.Subject {
			t.Errorf("%s: the subjects are %q and %q", address, predicted.Subject, came.Subject)
		}
		var a, b *report.Error
		if errors.As(errP, &a) && errors.As(err, &b) && (a.Causes[0].ID != b.Causes[0].ID || a.ExitCode() != b.ExitCode()) {
			t.Errorf("%s: predicted %s, came %s", address, a.Causes[0].ID, b.Causes[0].ID)
		}
	}
}

// What could not be started is no prediction.
func TestPreflightOfNothing(t *testing.T) {
	dir := t.TempDir()
	unit := filepath.Join(dir, "app.service")
	text := "[Service]\nExecStart=/nonexistent/a\\x1b[2J\n"
	if err := os.WriteFile(unit, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, how := range []Launch{
		{}, {User: "root"}, {Binary: filepath.Join(dir, "none")}, {Binary: dir}, {Binary: unit},
		{Binary: "/bin/sh", User: "no such user"}, {Unit: unit}, {Unit: dir}, {Unit: filepath.Join(dir, "none.service")},
		{Binary: "/bin/sh", Unit: unit, User: "root"}, {Binary: "\x1b[2J"},
	} {
		r, err := Bind(how, ":443")
		var refused *report.Error
		if err == nil || errors.As(err, &refused) || r.Subject != "" {
			t.Errorf("%+v: %v, %v", how, r, err)
		} else if strings.ContainsAny(err.Error(), "\x1b\n") {
			t.Errorf("%+v: %q", how, err)
		}
	}
	if _, err := Bind(Launch{Binary: filepath.Join(dir, "none")}, ":443"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v is not fs.ErrNotExist", err)
	}
}

// A program that only the unit can see may be started, and more is not known.
func TestPreflightOfHiddenProgram(t *testing.T) {
	unit := filepath.Join(t.TempDir(), "app.service")
	if err := os.WriteFile(unit, []byte("[Service]\nBindReadOnlyPaths=/usr/bin:/nonexistent\nExecStart=/nonexistent/true\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, how := range []Launch{{Unit: unit}, {Unit: unit, Binary: "/nonexistent/true"}} {
		r, err := Bind(how, ":443")
		var refused *report.Error
		if !errors.As(err, &refused) || refused.ExitCode() != 77 || !strings.Contains(r.String(), "BindReadOnlyPaths=") {
			t.Errorf("%+v: %v, %v", how, r, err)
		}
	}
}

// Of no address there is nothing to refuse.
func TestPreflightOfNoAddress(t *testing.T) {
	if r, err := Bind(Launch{Binary: "/bin/sh"}); err != nil || !r.OK {
		t.Errorf("%v, %v", r, err)
	}
}

// A unit has one name, by which its drop-ins are found.
func TestPreflightOfAlias(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "systemd/system")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"app.service", "web@.service"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("[Service]\nExecStart=/bin/sh\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for link, alias := range map[string]bool{"other.service": true, "web@x.service": false} {
		target := map[bool]string{true: "app.service", false: "web@.service"}[alias]
		path := filepath.Join(dir, link)
		if err := os.Symlink(target, path); err != nil {
			t.Fatal(err)
		}
		if _, err := readUnit(path); (err != nil) != alias {
			t.Errorf("%s: %v", link, err)
		}
	}
}

// A recorded machine, and what would start there: the decision alone.
func TestPredict(t *testing.T) {
	recording, err := os.ReadFile("../guardtest/testdata/ordinary-user.txtar")
	if err != nil {
		t.Fatal(err)
	}
	record, err := archive.Load(recording)
	if err != nil {
		t.Fatal(err)
	}
	there := record.Facts()
	bind := caps.SetOf(caps.NET_BIND_SERVICE)
	file := func(f caps.File) func(*facts.Facts) {
		return func(m *facts.Facts) { m.File.Installed.Caps = m.File.Installed.Caps.Now(f) }
	}
	for _, tt := range []struct {
		name, address string
		change        func(*facts.Facts)
		offers        []privport.Offer
		doubt, want   string
	}{
		{"nothing granted", ":443", nil, nil, "", "no-capability"},
		{"a high port", ":8443", nil, nil, "", "ok plain"},
		{"stamped with +p", ":443", file(caps.File{Version: 2, Permitted: bind}), nil, "", "ok raised"},
		{"stamped with +p, without the guard", ":443", file(caps.File{Version: 2, Permitted: bind}), nil, "", "not-raised"},
		{"a socket unit, without the guard", ":443", nil, []privport.Offer{offer(":443")}, "", "no-capability"},
		{"stamped with +ep", ":443", file(caps.File{Version: 2, Permitted: bind, Effective: true}), nil, "", "ok plain"},
		{"stamped with what the bounding set lacks", ":8443", file(caps.File{Version: 2, Permitted: 1 << 24, Effective: true}), nil, "", "exec-refused"},
		{"stamped, and withheld by a profile", ":443", func(m *facts.Facts) {
			file(caps.File{Version: 2, Permitted: bind})(m)
			m.Policy.Withheld = m.Policy.Withheld.Now(bind)
		}, nil, "", "apparmor"},
		{"an unreadable file", ":443", func(m *facts.Facts) { m.File.Installed.Caps = facts.Fact[caps.File]{} }, nil, "", "unknown"},
		{"sockets that cannot be seen", ":8443", func(m *facts.Facts) { m.Net.Sockets = facts.Fact[[]facts.Socket]{} }, nil, "", "unknown"},
		{"a doubt", ":8443", nil, nil, "nobody looked", "unknown"},
		{"a socket unit", ":443", nil, []privport.Offer{offer(":443")}, "", "ok inherited"},
		{"a socket unit, and a doubt", ":443", nil, []privport.Offer{offer(":443")}, "nobody looked", "unknown"},
		{"a socket unit, and sockets that cannot be seen", ":443", func(m *facts.Facts) { m.Net.Sockets = facts.Fact[[]facts.Socket]{} }, []privport.Offer{offer(":443")}, "", "unknown"},
		{"of another port", ":443", nil, []privport.Offer{offer(":80")}, "", "no-capability"},
	} {
		f := there
		f.Net.Sockets = f.Net.Sockets.Now(nil)
		f.Proc.Thread.Value.Bounding &^= 1 << 24
		if tt.change != nil {
			tt.change(&f)
		}
		yes := program.Answer[bool]{Value: !strings.Contains(tt.name, "without the guard")}
		p := &plan{facts: kernel.Plan(launch.Here(f)), raises: yes, inherits: yes, offers: tt.offers, doubt: func(kernel.Goal) string { return tt.doubt }, remote: true, sockets: f.Net.Sockets}
		r := ask.Named(tt.address)
		r.On(nil)
		if r.Target, err = r.Parse(context.Background()); err != nil {
			t.Fatal(err)
		}
		all := []ask.Request{r}
		p.predict(&all[0])
		report, _ := predicted(ask.Report(all, func([]ask.Request) facts.Facts { return p.facts }), all[0].Err, nil)
		got := "ok " + report.Via
		if !report.OK {
			got = report.Causes[0].ID
		}
		if got != tt.want {
			t.Errorf("%s: %s, want %s\n%s", tt.name, got, tt.want, report)
		}
	}
}

func offer(address string) privport.Offer {
	at := address[1:]
	o := privport.Offer{Network: "tcp6", Both: true}
	if err := o.Addr.UnmarshalText([]byte("[::]:" + at)); err != nil {
		panic(err)
	}
	return o
}

// What a program is given and may run decides, also inside a command line.
func TestGiven(t *testing.T) {
	cat, err := live.Open("/bin/cat")
	if err != nil {
		t.Fatal(err)
	}
	defer cat.Close()
	for _, tt := range []struct {
		arg  string
		runs bool
	}{
		{"/bin/true", true}, {"exec /bin/true :443", true}, {`su app -c "/bin/true"`, true}, {"x;/bin/true", true},
		{"/bin", false}, {"/none/true", false}, {"true", false}, {"-v", false},
	} {
		c := chain{program: cat}
		c.ends([]string{"/bin/cat", tt.arg}, here)
		if (c.doubt != "") != tt.runs {
			t.Errorf("%q: %q", tt.arg, c.doubt)
		}
	}
}
