package unit_test

import (
	"flag"
	"os"
	"slices"
	"strings"
	"testing"
	"unicode"

	. "github.com/lowport/lowport/guard/unit"

	"github.com/lowport/lowport/internal/diff"
)

var update = flag.Bool("update", false, "write the golden files anew")

func web(change func(*Service)) Service {
	s := Service{Exec: []string{"/opt/web/web", "--addr", ":443"}}
	change(&s)
	return s
}

// What is written for one service of each kind. The lab has real systemd read,
// judge and run such units.
func TestGolden(t *testing.T) {
	dropIn := func(s Service) ([]File, error) { s.Name = "web.service"; return s.DropIn() }
	for name, tt := range map[string]struct {
		s     Service
		files func(Service) ([]File, error)
	}{
		"capability": {web(func(s *Service) { s.User = "app" }), Service.Files},
		"everything": {web(func(s *Service) {
			*s = Service{Name: "w", Description: "50% off", Exec: append(s.Exec, "a b", "$HOME", `"`, `\`, "%n", ""), Type: "notify",
				User: "app", Group: "www", WorkDir: "/srv/w", Env: []string{"A=1 $2 %3"}, EnvFile: "/etc/w.env", Restart: "always", RestartSec: 9,
				After: []string{"db.service"}, Wants: []string{"x.service"}, Requires: []string{"db.service"}, WantedBy: "web.target",
				Write: []string{"/var/lib/w", "/var/lib/x", "/run/w", "/srv/data 1"}, Outbound: true, JIT: true}
		}), Service.Files},
		"socket": {web(func(s *Service) {
			s.Socket, s.Listen, s.ListenUDP = true, []string{":443", "127.0.0.1:80", "[::1]:0080"}, []string{":443"}
		}), Service.Files},
		"socket-outbound": {web(func(s *Service) { s.Socket, s.Outbound, s.Listen = true, true, []string{":443"} }), Service.Files},
		"drop-in":         {web(func(s *Service) { s.User = "app" }), dropIn},
		"drop-in-socket":  {web(func(s *Service) { s.Socket, s.Listen = true, []string{":443"} }), dropIn},
	} {
		files, err := tt.files(tt.s)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var b strings.Builder
		for _, f := range files {
			b.WriteString("-- " + f.Name + " --\n" + f.Content)
		}
		b.WriteString("-- notes --\n" + strings.Join(tt.s.Notes(), "\n") + "\n")
		golden := "testdata/" + name + ".txt"
		if *update {
			if err := os.WriteFile(golden, []byte(b.String()), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if diff := diff.Of(string(want), b.String()); diff != "" {
			t.Errorf("%s: (-update writes it anew)\n%s", name, diff)
		}
	}
}

func TestRefuses(t *testing.T) {
	for name, change := range map[string]func(*Service){
		"no program":         func(s *Service) { s.Exec = nil },
		"relative":           func(s *Service) { s.Exec[0] = "web" },
		"prefix":             func(s *Service) { s.Exec[0] = "+/opt/web" },
		"detour":             func(s *Service) { s.Exec[0] = "/opt/../web" },
		"quote in program":   func(s *Service) { s.Exec[0] = `/opt/w"eb` },
		"hidden by home":     func(s *Service) { s.Exec[0] = "/home/app/web" },
		"hidden by tmp":      func(s *Service) { s.Exec[0] = "/tmp/web" },
		"newline":            func(s *Service) { s.Exec[1] = "a\nUser=root" },
		"C1 control":         func(s *Service) { s.Exec[1] = "a\u0085" },
		"no UTF-8":           func(s *Service) { s.Exec[1] = "\xff" },
		"noncharacter":       func(s *Service) { s.Exec[1] = "a\uffff" },
		"noncharacter, text": func(s *Service) { s.Description = "\U0001fffe \ufdd0" },
		"long":               func(s *Service) { s.Exec[1] = strings.Repeat("a", 1<<20) },
		"root":               func(s *Service) { s.User = "root" },
		"uid 0":              func(s *Service) { s.User = "0" },
		"uid 00":             func(s *Service) { s.User = "00" },
		"uid 01000":          func(s *Service) { s.User = "01000" },
		"nobody":             func(s *Service) { s.User = "nobody" },
		"specifier":          func(s *Service) { s.User = "%i" },
		"group of root":      func(s *Service) { s.Group = "root" },
		"name":               func(s *Service) { s.Name = "../web" },
		"template":           func(s *Service) { s.Name = "web@" },
		"continuation":       func(s *Service) { s.Description = `a\` },
		"spaces":             func(s *Service) { s.Description = " a" },
		"work folder":        func(s *Service) { s.WorkDir = "srv" },
		"work folder hidden": func(s *Service) { s.WorkDir = "/home/app" },
		"and by tmp":         func(s *Service) { s.WorkDir = "/tmp/web" },
		"variable":           func(s *Service) { s.Env = []string{"A B=1"} },
		"optional file":      func(s *Service) { s.EnvFile = "-/etc/env" },
		"wildcard":           func(s *Service) { s.EnvFile = "/etc/*" },
		"unit":               func(s *Service) { s.After = []string{"a b.service"} },
		"type":               func(s *Service) { s.Type = "forking" },
		"restart":            func(s *Service) { s.Restart = "perhaps" },
		"seconds":            func(s *Service) { s.RestartSec = -1 },
		"target":             func(s *Service) { s.WantedBy = "x" },
		"writes everything":  func(s *Service) { s.Write = []string{"/"} },
		"writes units":       func(s *Service) { s.Write = []string{"/etc/systemd/system"} },
		"writes as nobody":   func(s *Service) { s.Write = []string{"/srv/data"} },
		"socket of nothing":  func(s *Service) { s.Socket = true },
		"socket of a name":   func(s *Service) { s.Socket, s.Listen = true, []string{"localhost:443"} },
		"socket of port 0":   func(s *Service) { s.Socket, s.Listen = true, []string{":0"} },
		"socket of a zone":   func(s *Service) { s.Socket, s.ListenUDP = true, []string{"[fe80::1%eth0]:53"} },
		"socket and newline": func(s *Service) { s.Socket, s.Listen = true, []string{":443\nUser=root"} },
		"socket twice":       func(s *Service) { s.Socket, s.Listen = true, []string{":443", ":0443"} },
		"socket in another":  func(s *Service) { s.Socket, s.Listen = true, []string{"127.0.0.1:443", "[::]:443"} },
		"IPv4 in all IPv4":   func(s *Service) { s.Socket, s.ListenUDP = true, []string{"0.0.0.0:53", "127.0.0.1:53"} },
	} {
		if files, err := web(change).Files(); err == nil || !strings.HasPrefix(err.Error(), "unit: ") || files != nil {
			t.Errorf("%s: %v, %v", name, files, err)
		}
	}
	if files, err := (Service{Name: "a/b"}).DropIn(); err == nil {
		t.Errorf("drop-in: %v", files)
	}
	if files, err := (Service{Name: "a.socket"}).DropIn(); err == nil {
		t.Errorf("drop-in of a socket: %v", files)
	}
	if files, err := (Service{Name: "a", Socket: true}).DropIn(); err == nil {
		t.Errorf("drop-in without an address: %v", files)
	}
}

// What looks like one of the refused, and works.
func TestTakes(t *testing.T) {
	for name, change := range map[string]func(*Service){
		"private /tmp":     func(s *Service) { s.WorkDir = "/tmp" },
		"other kinds":      func(s *Service) { s.After = []string{"data.automount", "dev-sda3.swap", "session-1.scope"} },
		"both protocols":   func(s *Service) { s.Socket, s.Listen, s.ListenUDP = true, []string{":53"}, []string{":53"} },
		"other port":       func(s *Service) { s.Socket, s.Listen = true, []string{":443", "127.0.0.1:80"} },
		"IPv4 beside IPv6": func(s *Service) { s.Socket, s.Listen = true, []string{"0.0.0.0:443", "[::1]:443"} },
	} {
		if _, err := web(change).Files(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	files, err := web(func(s *Service) { s.Name = "site.service" }).Files()
	if err != nil || files[0].Name != "site.service" {
		t.Errorf("%v, %v", files, err)
	}
}

// A wrong address is named by its own field.
func TestRefusesField(t *testing.T) {
	_, err := web(func(s *Service) { s.Socket, s.ListenUDP = true, []string{":dns"} }).Files()
	if err == nil || !strings.HasPrefix(err.Error(), "unit: ListenUDP ") {
		t.Errorf("%v", err)
	}
}

// keys are those of a file, in order, with its sections.
func keys(content string) []string {
	var all []string
	for line := range strings.Lines(content) {
		key, _, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "=")
		all = append(all, key)
	}
	return all
}

// Whatever the values are, the lines are those of any values, and none reaches
// into the next.
func FuzzFiles(f *testing.F) {
	f.Add("/opt/web", "--addr=:443", "KEY=value", "app", "a server", "/var/lib/web", "/srv")
	f.Add("/opt/w b", "%n $HOME ${A} ; \\", `A="\n`, "0", "100%", "/srv/a b\\c", "/")
	tame, err := Service{Name: "web", Exec: []string{"/a", "b"}, User: "app", Description: "d", Env: []string{"A=b"}, WorkDir: "/", Write: []string{"/srv/x"}}.Files()
	if err != nil {
		f.Fatal(err)
	}
	want := keys(tame[0].Content)
	f.Fuzz(func(t *testing.T, program, arg, env, user, description, write, dir string) {
		s := Service{Name: "web", Exec: []string{program, arg}, User: user, Description: description, Env: []string{env}, WorkDir: dir, Write: []string{"/srv/" + write}}
		files, err := s.Files()
		if err != nil || user == "" || dir == "" {
			return
		}
		content := files[0].Content
		if got := keys(content); !slices.Equal(got, want) {
			t.Errorf("other lines: %s", diff.Of(want, got))
		}
		for line := range strings.Lines(content) {
			line = strings.TrimSuffix(line, "\n")
			if strings.HasSuffix(line, `\`) || strings.ContainsFunc(line, unicode.IsControl) {
				t.Errorf("%q", line)
			}
			key, value, _ := strings.Cut(line, "=")
			if strings.Contains(strings.ReplaceAll(value, "%%", ""), "%") {
				t.Errorf("a specifier: %q", line)
			}
			if key == "ExecStart" {
				if got := words(t, strings.TrimPrefix(value, ":")); !slices.Equal(got, s.Exec) {
					t.Errorf("%q is read as %q, not %q", value, got, s.Exec)
				}
				if strings.Contains(value, "$") && !strings.HasPrefix(value, ":") {
					t.Errorf("a variable: %q", line)
				}
			}
		}
	})
}

// words reads a command line as systemd does, as far as it is written here.
func words(t *testing.T, s string) []string {
	var all []string
	for s != "" {
		var w strings.Builder
		if s[0] != '"' {
			plain, rest, _ := strings.Cut(s, " ")
			if strings.ContainsAny(plain, "\"'\\;") {
				t.Errorf("%q is not plain", plain)
			}
			all, s = append(all, plain), rest
			continue
		}
		i := 1
		for ; i < len(s) && s[i] != '"'; i++ {
			if s[i] == '\\' {
				i++
				if i == len(s) || s[i] != '\\' && s[i] != '"' {
					t.Fatalf("an escape in %q", s)
				}
			}
			w.WriteByte(s[i])
		}
		all = append(all, strings.ReplaceAll(w.String(), "%%", "%"))
		s = strings.TrimPrefix(s[min(i+1, len(s)):], " ")
	}
	return all
}
