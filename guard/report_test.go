package guard

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/internal/archive"
	"github.com/lowport/lowport/internal/ask"
	"github.com/lowport/lowport/internal/diff"
	"github.com/lowport/lowport/internal/errnos"
	"github.com/lowport/lowport/internal/facts"
	"github.com/lowport/lowport/internal/kernel"
	"github.com/lowport/lowport/internal/remedy"
	"github.com/lowport/lowport/internal/txtar"
)

var update = flag.Bool("update", false, "write the golden files anew")

const recorded = "../internal/kernel/testdata/"

// refused is the error of a bind, or of a Require, on a recorded machine.
func refused(t *testing.T, name string, g kernel.Goal, cause error) *Error {
	t.Helper()
	b, err := os.ReadFile(recorded + name + ".txtar")
	if err != nil {
		t.Fatal(err)
	}
	r, err := archive.Load(b)
	if err != nil {
		t.Fatal(err)
	}
	f := r.Facts()
	if g.Network == "" {
		refused := (*Error)(nil)
		if !errors.As(ask.Require(g.Require, f), &refused) {
			t.Fatalf("%s: nothing is refused", name)
		}
		return refused
	}
	address := net.JoinHostPort("", strconv.Itoa(g.Port))
	if g.Addr.IsValid() {
		address = netip.AddrPortFrom(g.Addr, uint16(g.Port)).String()
	}
	headline := "listen tcp " + address
	var errno syscall.Errno
	if errors.As(cause, &errno) {
		headline += ": " + errno.Error()
		cause = &net.OpError{Op: "listen", Net: "tcp", Err: os.NewSyscallError("bind", errno)}
	}
	raised := g.Refused.Raised
	g.Refused = kernel.RefusalOf(cause)
	g.Refused.Raised = raised
	found := kernel.Explain(&f, g, cause)
	return &Error{Report: ask.Refusal("bind tcp "+address, headline, cause, found, f, remedy.Case{Goal: g, Worlds: found.Worlds}), Err: cause}
}

var low = kernel.Goal{Network: "tcp", Port: 443, Raises: true}

// all are the refusals of which the text is golden: every recorded machine, and
// what the kernel says without asking for a privilege.
func all(t *testing.T) map[string]*Error {
	t.Helper()
	files, err := filepath.Glob(recorded + "*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal("no recorded machines: ", err)
	}
	errs := map[string]*Error{}
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		name, g, errno := strings.TrimSuffix(filepath.Base(file), ".txtar"), kernel.Goal{}, syscall.EACCES
		for line := range strings.Lines(string(txtar.Parse(b).Comment)) {
			var capability, answer string
			if n, _ := fmt.Sscanf(line, "bind %d %s", &g.Port, &answer); n == 2 {
				errno, _ = errnos.Of(answer)
				g.Network, g.Raises, g.Refused.Raised = "tcp", true, strings.Contains(line, " raised")
			} else if n, _ := fmt.Sscanf(line, "require %s", &capability); n == 1 {
				c, err := caps.ParseCap(capability)
				if err != nil {
					t.Fatal(err)
				}
				g.Require = caps.SetOf(c)
			}
		}
		errs[name] = refused(t, name, g, errno)
	}
	far := low
	far.Addr = netip.MustParseAddr("192.0.2.1")
	errs["contradiction"] = refused(t, "in-use", low, syscall.EADDRINUSE) // which the port check would have kept from it
	errs["address-unavailable"] = refused(t, "policy", far, syscall.EADDRNOTAVAIL)
	errs["address-invalid"] = refused(t, "policy", kernel.Goal{Network: "tcp"}, &net.AddrError{Err: "missing port in address", Addr: "443"})
	errs["host-unresolved"] = refused(t, "policy", low, &net.OpError{Op: "listen", Net: "tcp", Err: &net.DNSError{Err: "no such host", Name: "web.example"}})
	errs["family-unavailable"] = refused(t, "policy", low, syscall.EAFNOSUPPORT)
	errs["protocol-unavailable"] = refused(t, "policy", low, syscall.EPROTONOSUPPORT)
	errs["resource-limit"] = refused(t, "policy", low, syscall.EMFILE)
	errs["bpf-or-policy"] = refused(t, "policy", low, syscall.EPERM)
	return errs
}

func TestReportGolden(t *testing.T) {
	for name, err := range all(t) {
		text, golden := err.Report.String(), "testdata/report/"+name+".txt"
		if *update {
			if err := os.WriteFile(golden, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if diff := diff.Of(string(want), text); diff != "" {
			t.Errorf("%s: (-update writes it anew)\n%s", name, diff)
		}
	}
}

// Prose and evidence have 80 columns; commands are whole lines. Nothing but
// printable characters and newlines is written.
func TestReportLayout(t *testing.T) {
	for name, err := range all(t) {
		text := err.Report.String()
		var commands []string
		for _, fix := range err.Fixes {
			for _, s := range fix.Steps {
				commands = append(commands, s.Run+s.Start)
				commands = append(commands, strings.Split(s.Content, "\n")...)
			}
		}
		for i, line := range strings.Split(text, "\n") {
			for _, c := range line {
				if !strconv.IsPrint(c) || c == '\ufffd' {
					t.Errorf("%s: control byte in %q", name, line)
				}
			}
			isCommand := slices.Contains(commands, strings.TrimSpace(line)) || strings.HasPrefix(line, "  printf '%s") || strings.Contains(line, "install -D -m 644")
			if i > 0 && len([]rune(line)) > 80 && !isCommand {
				t.Errorf("%s: %d columns: %q", name, len([]rune(line)), line)
			}
			if strings.HasSuffix(line, " ") {
				t.Errorf("%s: trailing space: %q", name, line)
			}
		}
		if !strings.HasSuffix(text, "\n") || strings.HasSuffix(text, "\n\n") {
			t.Errorf("%s: ends in %q", name, text[len(text)-4:])
		}
	}
}

// keys are the objects of the JSON form, as documented and in that order.
var keys = map[string][]string{
	"report": {"subject", "ok", "errno", "error", "causes", "facts", "gates", "fixes", "unhelpful", "notes", "via"},
	"causes": {"id", "certainty", "summary", "detail"},
	"facts":  {"name", "value", "source", "state"},
	"gates":  {"name", "question", "answer"},
	"fixes":  {"id", "scope", "summary", "lasts", "steps"},
}

func TestReportJSON(t *testing.T) {
	reports := map[string]Report{"success": ask.Success("bind tcp :443", "plain")}
	for name, err := range all(t) {
		reports[name] = err.Report
	}
	for name, r := range reports {
		b, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(b, []byte(":null")) {
			t.Errorf("%s: null in %s", name, b)
		}
		if diff := diff.Of(keys["report"], order(t, b)); diff != "" {
			t.Errorf("%s:\n%s", name, diff)
		}
		var parts map[string]json.RawMessage
		if err := json.Unmarshal(b, &parts); err != nil {
			t.Fatal(err)
		}
		for _, part := range []string{"causes", "facts", "gates", "fixes"} {
			var objects []json.RawMessage
			if err := json.Unmarshal(parts[part], &objects); err != nil {
				t.Errorf("%s: %s: %v", name, part, err)
			}
			for _, o := range objects {
				got := slices.DeleteFunc(order(t, o), func(key string) bool { return key == "depends" || key == "costs" }) // where there is one
				if diff := diff.Of(keys[part], got); diff != "" {
					t.Errorf("%s: %s:\n%s", name, part, diff)
				}
			}
		}
		for _, f := range r.Fixes {
			if !slices.Contains([]string{"file", "unit", "container", "pod", "netns", "host", "code"}, f.Scope) || len(f.Steps) == 0 {
				t.Errorf("%s: fix %s: scope %q, %d steps", name, f.ID, f.Scope, len(f.Steps))
			}
		}
		var again Report
		if err := json.Unmarshal(b, &again); err != nil {
			t.Fatal(err)
		}
		if b2, err := json.Marshal(again); err != nil || !bytes.Equal(b, b2) {
			t.Errorf("%s: read back it is another: %v\n%s\n%s", name, err, b, b2)
		}
		if !r.OK && !strings.HasPrefix(again.String(), r.Error+": "+r.Causes[0].Summary+" ["+r.Causes[0].ID+"]") {
			t.Errorf("%s: read back it does not say what failed: %s", name, again)
		}
	}
}

// order returns the keys of a JSON object.
func order(t *testing.T, object []byte) []string {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(object))
	if _, err := d.Token(); err != nil {
		t.Fatal(err)
	}
	var names []string
	for d.More() {
		name, err := d.Token()
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, name.(string))
		var skip json.RawMessage
		if err := d.Decode(&skip); err != nil {
			t.Fatal(err)
		}
	}
	return names
}

func TestErrorIs(t *testing.T) {
	denied := error(refused(t, "no-capability", low, syscall.EACCES))
	var op *net.OpError
	if !errors.Is(denied, fs.ErrPermission) || !errors.Is(denied, syscall.EACCES) || !errors.As(denied, &op) || op.Op != "listen" {
		t.Errorf("%v wraps %#v", denied, errors.Unwrap(denied))
	}
	if used := error(refused(t, "in-use", low, syscall.EADDRINUSE)); errors.Is(used, fs.ErrPermission) || !errors.Is(used, syscall.EADDRINUSE) {
		t.Errorf("%v wraps %#v", used, errors.Unwrap(used))
	}
	if required := error(refused(t, "require", kernel.Goal{Require: caps.SetOf(caps.NET_ADMIN)}, nil)); !errors.Is(required, fs.ErrPermission) {
		t.Errorf("%v wraps %#v", required, errors.Unwrap(required))
	}
}

func TestErrorFormat(t *testing.T) {
	err := refused(t, "no-capability", low, syscall.EACCES)
	const line = "listen tcp :443: permission denied: nothing grants cap_net_bind_service: /srv/app/server has no file capabilities, and this process got none [no-capability]" +
		"; fix: sudo setcap cap_net_bind_service=+p /srv/app/server"
	for verb, want := range map[string]string{
		"%v": line, "%s": line, "%q": strconv.Quote(line), "%+v": err.Report.String(),
	} {
		if got := fmt.Sprintf(verb, err); got != want {
			t.Errorf("%s: %q, want %q", verb, got, want)
		}
		if got := fmt.Sprintf(verb, fmt.Errorf("start: %w", err)); verb == "%v" && got != "start: "+line {
			t.Errorf("wrapped: %q", got)
		}
	}
	if err.Error() != line {
		t.Errorf("Error() = %q", err.Error())
	}
}

func TestLogValue(t *testing.T) {
	var b bytes.Buffer
	log := slog.New(slog.NewJSONHandler(&b, &slog.HandlerOptions{ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
		if len(groups) == 0 && a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}}))
	err := refused(t, "no-capability", low, syscall.EACCES)
	log.Error("bind", "report", err)
	first := `{"level":"ERROR","msg":"bind","report":{"cause":"nothing grants cap_net_bind_service: /srv/app/server has no file capabilities, and this process got none [no-capability]","fix":"sudo setcap cap_net_bind_service=+p /srv/app/server","subject":`
	if !strings.HasPrefix(b.String(), first) {
		t.Errorf("%s does not begin with %s", &b, first)
	}
	var got struct {
		Report struct {
			Subject, Error string
			OK             bool
			Causes         []Cause
			Fixes          []Fix
		}
	}
	if err := json.Unmarshal(b.Bytes(), &got); err != nil {
		t.Fatalf("%v: %s", err, b.Bytes())
	}
	if diff := diff.Of(err.Causes, got.Report.Causes); diff != "" || got.Report.Subject != "bind tcp :443" || got.Report.OK || len(got.Report.Fixes) != len(err.Fixes) {
		t.Errorf("%s\n%s", diff, b.Bytes())
	}
	b.Reset()
	log.Info("bind", "report", ask.Success("bind tcp :443", "plain"))
	if want := `{"level":"INFO","msg":"bind","report":{"subject":"bind tcp :443","ok":true,"via":"plain"}}` + "\n"; b.String() != want {
		t.Errorf("got %swant %s", &b, want)
	}
}

// In a log of text the lists are short.
func TestLogText(t *testing.T) {
	var b bytes.Buffer
	err := refused(t, "no-capability", low, syscall.EACCES)
	slog.New(slog.NewTextHandler(&b, nil)).Error("bind", "report", err)
	want := ` report.causes=no-capability report.fixes="setcap, setpriv, sysctl"` + "\n"
	if !strings.HasSuffix(b.String(), want) || !strings.Contains(b.String(), ` msg=bind report.cause="nothing grants `) {
		t.Errorf("%s does not end with %s", &b, want)
	}
}

func TestExitCode(t *testing.T) {
	for name, err := range all(t) {
		want := 77
		switch err.Causes[0].ID {
		case "address-invalid":
			want = 64
		case "address-in-use", "address-unavailable", "address-tentative", "host-unresolved", "family-unavailable", "protocol-unavailable", "resource-limit":
			want = 69
		}
		if got := err.ExitCode(); got != want {
			t.Errorf("%s: %s: exit code %d, want %d", name, err.Causes[0].ID, got, want)
		}
	}
}

// Whatever names the machine has, the text has printable characters alone, and
// a reader who pastes a fix pastes no line that a name made.
func TestReportHostile(t *testing.T) {
	const nasty = "x\x1b[2J\nreboot\n\u202e\xff'$(reboot)"
	for name := range all(t) {
		b, err := os.ReadFile(recorded + name + ".txtar")
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		r, err := archive.Load(b)
		if err != nil {
			t.Fatal(err)
		}
		for _, item := range []string{"proc/self/exe", "mount point", "cwd"} {
			r[item] = facts.Item{Data: []byte("/" + nasty)}
		}
		r["args"], r["user"] = facts.Item{Data: []byte("app\x00" + nasty + "\x00")}, facts.Item{Data: []byte(nasty + "\n")}
		r["proc/self/attr/current"], r["sys/kernel/security/lsm"] = r["user"], r["user"]
		r["exe xattr"] = facts.Item{Err: nasty}
		f, cause := r.Facts(), &net.OpError{Op: "listen", Net: "tcp", Err: os.NewSyscallError("bind", syscall.EACCES)}
		f.Net.Sockets = f.Net.Sockets.Now([]facts.Socket{{Network: "tcp", Addr: netip.MustParseAddrPort("0.0.0.0:443"), Listen: true, PID: 7, Command: nasty, Cgroup: "/system.slice/" + nasty}})
		g := low
		g.Refused = kernel.RefusalOf(cause)
		found := kernel.Explain(&f, g, cause)
		report := ask.Refusal("bind tcp :443", "listen tcp :443", cause, found, f, remedy.Case{Goal: g, Worlds: found.Worlds})
		for line := range strings.Lines(report.String()) {
			if strings.HasPrefix(strings.TrimSpace(line), "reboot") {
				t.Errorf("%s: a line of its own: %q", name, line)
			}
			for _, c := range strings.TrimSuffix(line, "\n") {
				if !strconv.IsPrint(c) || c == '\ufffd' {
					t.Fatalf("%s: %q in %q", name, c, line)
				}
			}
		}
	}
}
