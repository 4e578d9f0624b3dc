package kernel

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/guard/report"
	"github.com/lowport/lowport/internal/archive"
	"github.com/lowport/lowport/internal/diff"
	"github.com/lowport/lowport/internal/facts"
	"github.com/lowport/lowport/internal/live"
	"github.com/lowport/lowport/internal/mask"
	"github.com/lowport/lowport/internal/term"
	"github.com/lowport/lowport/internal/txtar"
)

// A recorded machine is a file of testdata: a record, and above it
//
//	# how it was recorded
//	bind 443 EACCES     or: bind 443 EACCES raised, or: require cap,…
//	CAUSE CERTAINTY     what is to be found, the first of which refused
//
// Such a record is what this test binary prints where LOWPORT_RECORD is a port.
type recorded struct {
	record facts.Record
	goal   Goal
	errno  syscall.Errno
	want   []string
}

func TestMain(m *testing.M) {
	if port, err := strconv.Atoi(os.Getenv("LOWPORT_RECORD")); err == nil {
		record, _ := mask.Record(live.Read(port), netip.Addr{})
		os.Stdout.Write(archive.Save(record))
		return
	}
	os.Exit(m.Run())
}

func machines(t *testing.T) map[string]recorded {
	t.Helper()
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal("no machines: ", err)
	}
	errnos := map[string]syscall.Errno{"EACCES": syscall.EACCES, "EADDRINUSE": syscall.EADDRINUSE, "EADDRNOTAVAIL": syscall.EADDRNOTAVAIL, "EPERM": syscall.EPERM}
	all := map[string]recorded{}
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var m recorded
		if m.record, err = archive.Load(b); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		for line := range strings.Lines(string(txtar.Parse(b).Comment)) {
			switch words := strings.Fields(line); words[0] {
			case "#":
			case "require":
				c, err := caps.ParseCap(words[1])
				if err != nil {
					t.Fatalf("%s: %v", file, err)
				}
				m.goal.Require = caps.SetOf(c)
			case "bind":
				port, err := strconv.Atoi(words[1])
				if m.errno = errnos[words[2]]; err != nil || m.errno == 0 {
					t.Fatalf("%s: %s", file, line)
				}
				m.goal = Goal{Network: "tcp", Port: port, Raises: true, Refused: Refusal{Raised: len(words) > 3}}
			default:
				m.want = append(m.want, strings.Join(words, " "))
			}
		}
		all[strings.TrimSuffix(filepath.Base(file), ".txtar")] = m
	}
	return all
}

func (m recorded) explain(f facts.Facts) Finding {
	if m.goal.Network == "" {
		return Explain(&f, m.goal, nil)
	}
	err := &net.OpError{Op: "listen", Net: "tcp", Err: os.NewSyscallError("bind", m.errno)}
	return bindRefused(f, m.goal, err)
}

// bindRefused explains a bind that failed with err; a bare errno is that of bind itself.
func bindRefused(f facts.Facts, g Goal, err error) Finding {
	if errno, bare := err.(syscall.Errno); bare {
		err = os.NewSyscallError("bind", errno)
	}
	if op, ok := err.(*net.OpError); ok {
		if errno, bare := op.Err.(syscall.Errno); bare {
			op.Err = os.NewSyscallError("bind", errno)
		}
	}
	g.Refused = RefusalOf(err)
	return Explain(&f, g, err)
}

func TestRecordedMachines(t *testing.T) {
	for name, m := range machines(t) {
		found := m.explain(m.record.Facts())
		var got []string
		for _, c := range found.Causes {
			got = append(got, c.ID+" "+string(c.Certainty))
			if c.Summary == "" || c.Detail == "" || strings.ContainsAny(c.Summary+c.Detail, "{}") {
				t.Errorf("%s: %s has no words, or unfilled ones: %q, %q", name, c.ID, c.Summary, c.Detail)
			}
		}
		if diff := diff.Of(m.want, got); diff != "" {
			t.Errorf("%s:\n%s", name, diff)
		}
		for _, e := range found.Evidence {
			if e.Name == "" || e.State == "known" && e.Source == "" {
				t.Errorf("%s: evidence without a name or source: %+v", name, e)
			}
		}
	}
}

// No false proof: whatever one or two facts of a machine cannot be read, nothing
// is called proven that is not the case there. Of the pairs one of seven is looked at.
func TestNoFalseProof(t *testing.T) {
	for name, m := range machines(t) {
		whole := m.record.Facts()
		fields := len(factFields(&whole))
		for i := range fields {
			for j := range i + 1 {
				if i != j && (testing.Short() || (i+j)%7 != 0) {
					continue
				}
				f := whole
				forgotten := factFields(&f)
				forgotten[i].forget()
				forgotten[j].forget()
				m.check(t, fmt.Sprintf("%s without %s and %s", name, forgotten[i].name, forgotten[j].name), f)
			}
		}
		for item := range m.record {
			for _, errno := range []string{"EACCES", "EPERM", "ENOENT"} {
				if item == "ioctl NS_GET_USERNS" && errno == "EPERM" || errno == "ENOENT" && !strings.HasPrefix(item, "proc/") {
					continue // that is an answer
				}
				r := facts.Record{}
				for k, v := range m.record {
					r[k] = v
				}
				r[item] = facts.Item{Err: errno}
				m.check(t, fmt.Sprintf("%s, %s: %s", name, item, errno), r.Facts())
			}
		}
	}
}

func (m recorded) check(t *testing.T, name string, f facts.Facts) {
	t.Helper()
	for _, c := range m.explain(f).Causes {
		if c.Certainty != report.Proven {
			continue
		}
		listed := false
		for _, want := range m.want {
			id, _, _ := strings.Cut(want, " ")
			listed = listed || id == c.ID
		}
		if !listed {
			t.Errorf("%s: %s is proven, but it is %v", name, c.ID, m.want)
		}
	}
}

type factField struct {
	name  string
	value reflect.Value
}

// factFields are all the facts of f.
func factFields(f *facts.Facts) []factField {
	var all []factField
	var walk func(prefix string, v reflect.Value)
	walk = func(prefix string, v reflect.Value) {
		for i := range v.NumField() {
			name, field := prefix+v.Type().Field(i).Name, v.Field(i)
			if field.Type() == reflect.TypeFor[facts.Launch]() {
				continue // is not read
			}
			if !field.FieldByName("State").IsValid() { // a group of facts
				walk(name+".", field)
			} else {
				all = append(all, factField{name, field})
			}
		}
	}
	walk("", reflect.ValueOf(f).Elem())
	return all
}

// forget makes the fact unreadable.
func (f factField) forget() {
	source := f.value.FieldByName("Source").String()
	f.value.SetZero()
	f.value.FieldByName("Source").SetString(source)
	f.value.FieldByName("Reason").SetString("EIO")
}

// What comes from the machine or the program is shown without control bytes,
// wherever it comes to lie in the finding.
func TestShownFit(t *testing.T) {
	const nasty = "\x1b[2Jx\n\u202e\xff"
	for name, m := range machines(t) {
		r := facts.Record{}
		for k, v := range m.record {
			r[k] = v
		}
		r["proc/self/exe"] = facts.Item{Data: []byte("/" + nasty)}
		r["cwd"], r["mount point"] = r["proc/self/exe"], r["proc/self/exe"]
		r["proc/self/attr/current"], r["user"] = facts.Item{Data: []byte(nasty)}, facts.Item{Data: []byte(nasty)}
		m.goal.Addr = netip.MustParseAddr("2001:db8::1").WithZone(nasty)
		for _, errno := range []syscall.Errno{m.errno, syscall.EADDRNOTAVAIL, syscall.EADDRINUSE} {
			m.errno = errno
			f := r.Facts()
			f.Net.Sockets = f.Net.Sockets.Now([]facts.Socket{{Network: "tcp6", Addr: netip.MustParseAddrPort("[::]:443"), Listen: true, PID: 9, Command: nasty}})
			found := m.explain(f)
			shown := append([]string{}, found.Unhelpful...)
			for _, c := range found.Causes {
				shown = append(shown, c.Summary, c.Detail)
			}
			for _, e := range found.Evidence {
				shown = append(shown, e.Says)
			}
			for _, s := range shown {
				if term.Show(s) != s {
					t.Errorf("%s: %+q", name, s)
				}
			}
		}
	}
}

// What a Windows program holds is not seen from WSL.
func TestWindowsHolds(t *testing.T) {
	for release, want := range map[string]bool{"5.15.167.4-microsoft-standard-WSL2\n": true, "6.1.0\n": false} {
		f := facts.Record{"uname": {Data: []byte(release)}, "sockets": {Data: []byte("[]\n")}}.Facts()
		found := bindRefused(f, Goal{Network: "tcp", Port: 443, Refused: Refusal{Errno: syscall.EADDRINUSE}}, &net.OpError{Op: "listen", Err: syscall.EADDRINUSE})
		if c := found.Causes[0]; c.ID != "address-in-use" || c.Certainty != report.Likely || strings.Contains(c.Summary+c.Detail, "Windows") != want {
			t.Errorf("%s: %+v", release, c)
		}
	}
}
