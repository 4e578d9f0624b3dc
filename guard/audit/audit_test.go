package audit

import (
	"bytes"
	"encoding/json"
	"flag"
	"log/slog"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/lowport/lowport/caps"
	inner "github.com/lowport/lowport/internal/audit"
	"github.com/lowport/lowport/internal/diff"
	"github.com/lowport/lowport/internal/facts"
)

var update = flag.Bool("update", false, "write the golden files anew")

func found[T any](v T, source string) facts.Fact[T] {
	return facts.Fact[T]{Value: v, State: facts.Known, Source: source}
}

// hidden is a fact that /proc hides.
func hidden[T any]() facts.Fact[T] { return facts.Fact[T]{Source: "/proc/812", Reason: "EPERM"} }

// processes are those of which the reports are golden.
func processes() map[string]inner.Process {
	server := func(change func(*inner.Process, *inner.Thread)) inner.Process {
		t := inner.Thread{
			State: caps.State{Bounding: caps.UpTo(caps.Last), NoNewPrivs: true},
			UIDs:  inner.IDs{Real: 1000, Effective: 1000, Saved: 1000, FS: 1000}, GIDs: inner.IDs{Real: 1000, Effective: 1000, Saved: 1000, FS: 1000}, Groups: "1000",
		}
		p := inner.Process{
			PID: 812, Name: found("server", "/proc/812/comm"), UserNS: found(inner.UserNS{Name: facts.InitialUserNS}, "/proc/812/ns/user"), UIDMap: found(facts.WholeMap, "/proc/812/uid_map"),
			Listens:   found([]inner.Listen{{Network: "tcp", Addr: netip.MustParseAddrPort("[::]:443")}}, "/proc/812/fd"),
			PortStart: found(1024, "/proc/sys/net/ipv4/ip_unprivileged_port_start"), Doors: found([]inner.Door{}, "/proc/812/root"), RootRuns: found(true, "/proc"), Open: found([]inner.Open{}, "/proc/812/fd"),
			Terminals: found([]inner.Terminal{}, "/proc/812/fd"), Typing: found(inner.Typing{}, "/proc/sys/dev/tty/legacy_tiocsti"),
			Path: found("/srv/app/server", "/proc/812/exe"), Deleted: found(false, "/proc/812/exe"), Same: found(true, "/proc/812/exe"), Here: true, AsRoot: true,
			Interprets: found(false, "/proc/812/exe"), Exe: facts.Image{Caps: facts.Fact[caps.File]{State: facts.Absent, Source: "getxattr /proc/812/exe"}, Stat: found(facts.Stat{Mode: 0o100755}, "/proc/812/exe")},
			Way: found([]inner.Place{{Path: "/", Mode: 0o040755}, {Path: "/srv", Mode: 0o040755}, {Path: "/srv/app", Mode: 0o040755}, {Path: "/srv/app/server", Mode: 0o100755}}, "/proc/812/root"),
		}
		if change != nil {
			change(&p, &t)
		}
		p.Threads = found(map[int]inner.Thread{812: t}, "/proc/812/task")
		return p
	}
	return map[string]inner.Process{
		"clean": server(nil),
		"root": server(func(p *inner.Process, t *inner.Thread) {
			t.UIDs, t.GIDs, t.Groups, t.NoNewPrivs = inner.IDs{}, inner.IDs{}, "", false
			t.Permitted, t.Effective = t.Bounding, t.Bounding
			p.Unit = found(facts.Unit{Name: "app.service"}, "/proc/812/cgroup")
		}),
		"unit": server(func(p *inner.Process, t *inner.Thread) {
			t.NoNewPrivs = false
			t.Permitted = caps.SetOf(caps.NET_BIND_SERVICE, caps.NET_RAW, caps.SYS_PTRACE)
			t.Effective, t.Inheritable, t.Ambient = t.Permitted, t.Permitted, t.Permitted
			p.Unit, p.Direct = found(facts.Unit{Name: "app.service"}, "/proc/812/cgroup"), true
			p.Listens.Value = append(p.Listens.Value, inner.Listen{Network: "tcp", Addr: netip.MustParseAddrPort("0.0.0.0:6060")})
		}),
		"writable": server(func(p *inner.Process, t *inner.Thread) {
			name := "/srv/app/a server\x1b[31m\n$(reboot)"
			p.Path.Value = name
			p.Way.Value[3] = inner.Place{Path: name, Mode: 0o100777, UID: 1000, GID: 1000}
			p.Exe.Caps = found(caps.File{Permitted: caps.SetOf(caps.NET_BIND_SERVICE, caps.SYS_ADMIN), Effective: true, Version: 2}, "getxattr /proc/812/exe")
			p.Name.Value = "\x1b]0;x\a"
			p.AsRoot = false
		}),
		"hidden": {
			PID: 812, Threads: hidden[map[int]inner.Thread](), UserNS: hidden[inner.UserNS](), Listens: hidden[[]inner.Listen](), Path: hidden[string](),
			Exe: facts.Image{Caps: hidden[caps.File](), Stat: hidden[facts.Stat]()}, Doors: hidden[[]inner.Door](), RootRuns: hidden[bool](), Open: hidden[[]inner.Open](), Terminals: hidden[[]inner.Terminal](),
		},
	}
}

func TestGolden(t *testing.T) {
	for name, p := range processes() {
		r := audited(p)
		j, err := json.MarshalIndent(r, "", " ")
		if err != nil {
			t.Fatal(err)
		}
		for file, got := range map[string][]byte{"testdata/" + name + ".txt": []byte(r.String()), "testdata/" + name + ".json": append(j, '\n')} {
			if *update {
				if err := os.WriteFile(file, got, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if diff := diff.Of(string(want), string(got)); diff != "" {
				t.Errorf("%s: (-update writes it anew)\n%s", file, diff)
			}
		}
	}
}

// Prose and evidence have 80 columns; commands are whole lines. Nothing but
// printable characters and newlines is written, in the JSON form as well.
func TestLayout(t *testing.T) {
	for name, p := range processes() {
		r := audited(p)
		for line := range strings.Lines(r.String()) {
			line = strings.TrimSuffix(line, "\n")
			command := strings.HasPrefix(line, "  ") && strings.ContainsAny(line, "$|/") || strings.HasPrefix(line, "    ")
			if len([]rune(line)) > 80 && !command {
				t.Errorf("%s: %d columns: %s", name, len([]rune(line)), line)
			}
			for _, c := range line {
				if !strconv.IsPrint(c) && c != '\t' || c == '\ufffd' {
					t.Errorf("%s: %q in %q", name, c, line)
				}
			}
		}
		j, _ := json.Marshal(r)
		var plain bytes.Buffer
		enc := json.NewEncoder(&plain)
		enc.SetEscapeHTML(false)
		if err := enc.Encode(r); err != nil || bytes.ContainsAny(j, "\x1b\a") || bytes.Contains(j, []byte("null")) {
			t.Errorf("%s: %v: %s", name, err, j)
		}
	}
}

func TestExitCode(t *testing.T) {
	all := processes()
	for name, want := range map[string]int{"clean": 0, "root": 1, "unit": 1, "writable": 1, "hidden": 77} {
		if r := audited(all[name]); r.ExitCode() != want || r.OK() != (want == 0) {
			t.Errorf("%s: %d, %v", name, r.ExitCode(), r.OK())
		}
	}
}

func TestLog(t *testing.T) {
	var b bytes.Buffer
	slog.New(slog.NewTextHandler(&b, nil)).Info("audit", "process", audited(processes()["unit"]))
	for _, want := range []string{"process.pid=812", "process.unit=app.service", "process.severity=critical", "process.holds=cap_net_bind_service,cap_net_raw,cap_sys_ptrace", "root-capability"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %s in %s", want, b.String())
		}
	}
	if strings.Contains(b.String(), "no-seccomp") {
		t.Error("a note: ", b.String())
	}
}
