package adopt

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/lowport/lowport/internal/needs"
)

// A server is one of the programs.
type server struct {
	name   string
	module string // of the framework; "" for the standard library
	args   []string
	asks   func() error // a client: nil once it was served
	keeps  bool         // the framework has no place for a drop: the capability stays
	heavy  bool         // of the module heavy
}

var servers = []server{
	{name: "http", asks: getHTTP("/"), keeps: true},
	{name: "autocert", module: "golang.org/x/crypto", args: []string{"CERTS"}, asks: getHTTPS},
	{name: "fiber", module: "github.com/gofiber/fiber/v3", asks: getHTTP("/")},
	{name: "fasthttp", module: "github.com/valyala/fasthttp", asks: getHTTP("/")},
	{name: "grpc", module: "google.golang.org/grpc", asks: checkHealth},
	{name: "ssh", module: "github.com/gliderlabs/ssh", asks: runSSH},
	{name: "smtp", module: "github.com/emersion/go-smtp", asks: sendMail},
	{name: "mqtt", module: "github.com/mochi-mqtt/server/v2", asks: connectMQTT},
	{name: "exporter", module: "github.com/prometheus/exporter-toolkit", asks: getHTTP("/metrics"), keeps: true},
	{name: "tableflip", module: "github.com/cloudflare/tableflip", asks: getHTTP("/")},
	{name: "gnet", module: "github.com/panjf2000/gnet/v2", asks: echo},
	{name: "caddy", module: "github.com/caddyserver/caddy/v2", asks: getHTTP("/"), heavy: true},
	{name: "coredns", module: "github.com/coredns/coredns", asks: resolve, heavy: true},
}

// tried returns the servers that are tried now: those that LOWPORT_ADOPT names, or all but the
// heavy ones.
func tried() []server {
	names := strings.Fields(os.Getenv("LOWPORT_ADOPT"))
	return slices.DeleteFunc(slices.Clone(servers), func(s server) bool {
		return !slices.Contains(names, "all") && !slices.Contains(names, s.name) && (s.heavy || len(names) > 0)
	})
}

func (s server) folder() string {
	if s.heavy {
		return "heavy/" + s.name
	}
	return s.name
}

// inside says that the test runs in its own network namespace.
const inside = "ADOPT_INSIDE"

// TestMain runs root's tests in a network namespace of their own: there nothing listens, and
// ports below 1024 are privileged.
func TestMain(m *testing.M) {
	if os.Getenv(inside) != "" || os.Geteuid() != 0 {
		os.Exit(m.Run())
	}
	cmd := exec.Command("/proc/self/exe", os.Args[1:]...)
	cmd.Env = append(os.Environ(), inside+"=yes")
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET, Pdeathsig: syscall.SIGKILL}
	err := cmd.Run()
	if errors.Is(err, syscall.EPERM) {
		os.Exit(m.Run()) // root of a container: the tests say what they lack
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func TestServers(t *testing.T) {
	needs.Root(t, "go", "ip", "setcap", "sudo")
	if os.Getenv(inside) == "" {
		t.Fatal("not in a network namespace of its own")
	}
	if out, err := exec.Command("ip", "link", "set", "lo", "up").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	before, after := openFolder(t), openFolder(t)
	changed := build(t, before, after)
	certs := openFolder(t)
	writeCertificate(t, certs)
	var rows []string
	for _, s := range tried() {
		t.Run(s.name, func(t *testing.T) {
			for i, arg := range s.args {
				s.args[i] = strings.ReplaceAll(arg, "CERTS", certs)
			}
			old, _ := refusal(t, s, filepath.Join(before, s.name))
			message, fix := refusal(t, s, filepath.Join(after, s.name))
			if strings.Contains(old, "lowport") || fix == "" || !strings.Contains(message, "[no-capability]") {
				t.Fatalf("before: %s\nafter: %s\nfix: %s", old, message, fix)
			}
			if out, err := exec.Command("sh", "-ec", fix).CombinedOutput(); err != nil {
				t.Fatalf("%s: %v\n%s", fix, err, out)
			}
			serves(t, s, filepath.Join(after, s.name))
			rows = append(rows, row(t, s, filepath.Join(after, s.name), changed[s.name], old, message, fix))
		})
	}
	if !t.Failed() {
		checkPage(t, rows)
	}
}

// openFolder returns a folder that an ordinary user can read.
func openFolder(t *testing.T) string {
	dir, err := os.MkdirTemp("", "adopt")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// build builds the servers as they were before and as they are, and returns how many lines of
// each differ.
func build(t *testing.T, before, after string) map[string]int {
	changed := map[string]int{}
	overlay := map[string]string{}
	of := map[bool][]string{} // the folders by the module that they are in
	for _, s := range tried() {
		file, err := filepath.Abs(filepath.Join(s.folder(), "main.go"))
		if err != nil {
			t.Fatal(err)
		}
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var old string
		old, changed[s.name] = without(string(source))
		if strings.Contains(old, "github.com/lowport/") || changed[s.name] == 0 {
			t.Fatalf("%s without lowport still has it:\n%s", s.name, old)
		}
		overlay[file] = filepath.Join(before, s.name+".go")
		if err := os.WriteFile(overlay[file], []byte(old), 0o644); err != nil {
			t.Fatal(err)
		}
		of[s.heavy] = append(of[s.heavy], "./"+s.name)
	}
	list, err := json.Marshal(map[string]any{"Replace": overlay})
	if err != nil {
		t.Fatal(err)
	}
	overlaid := filepath.Join(before, "overlay.json")
	if err := os.WriteFile(overlaid, list, 0o644); err != nil {
		t.Fatal(err)
	}
	for heavy, packages := range of {
		dir := map[bool]string{false: ".", true: "heavy"}[heavy]
		goBuild(t, dir, append([]string{"-overlay", overlaid, "-o", before + "/"}, packages...)...)
		goBuild(t, dir, append([]string{"-o", after + "/"}, packages...)...)
	}
	return changed
}

func goBuild(t *testing.T, dir string, args ...string) {
	cmd := exec.Command("go", append([]string{"build", "-ldflags=-s -w"}, args...)...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOPROXY=off")
	out, err := cmd.CombinedOutput()
	if bytes.Contains(out, []byte("GOPROXY=off")) {
		needs.Lack(t, "the modules of the servers in the cache (go mod download): "+string(out))
	}
	if err != nil {
		t.Fatalf("%v: %v\n%s", cmd, err, out)
	}
}

// without returns a program without the lines that were added for lowport, and how many lines
// of it differ.
func without(source string) (before string, changed int) {
	var b strings.Builder
	for line := range strings.Lines(source) {
		now, was, isChanged := strings.Cut(line, "// was: ")
		switch {
		case isChanged:
			indent := now[:len(now)-len(strings.TrimLeft(now, "\t"))]
			b.WriteString(indent + was)
		case strings.HasSuffix(line, "// new\n"):
		default:
			b.WriteString(line)
			continue
		}
		changed++
	}
	return b.String(), changed
}

// command returns a command of an ordinary user, and its log.
func command(file string, args ...string) (*exec.Cmd, *bytes.Buffer) {
	cmd, log := exec.Command(file, args...), new(bytes.Buffer)
	cmd.Dir, cmd.Env = "/", []string{"PATH=/usr/bin:/bin", "HOME=/"}
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Credential: &syscall.Credential{Uid: 65534, Gid: 65534}, Pdeathsig: syscall.SIGKILL,
	}
	return cmd, log
}

// refusal starts a server that may not bind, and returns the lines of its log that say so,
// and the fix in there, "" for none.
func refusal(t *testing.T, s server, file string) (message, fix string) {
	t.Helper()
	cmd, log := command(file, s.args...)
	hung := time.AfterFunc(time.Minute, func() { cmd.Process.Kill() })
	defer hung.Stop()
	if err := cmd.Run(); err == nil || cmd.ProcessState.ExitCode() < 1 {
		t.Fatalf("%v: %v\n%s", cmd, err, log)
	}
	at := strings.LastIndex(log.String(), "permission denied")
	if at < 0 {
		t.Fatalf("%v does not say why: %s", cmd, log)
	}
	told := log.String()[strings.LastIndexByte(log.String()[:at], '\n')+1:]
	line, _, _ := strings.Cut(told, "\n")
	return line, findFix(told)
}

// The fix in a log: in a report, on the line of an error, and in a field of slog's text and JSON.
var (
	inReport = regexp.MustCompile(`(?m)^fix: .*\n(?:     .*\n)*((?:  .*\n)+)`)
	inLine   = regexp.MustCompile(`; fix: (.*?)(?:"[,}].*)?\n`)
	inField  = regexp.MustCompile(`(?:\.fix=|"fix":)("(?:[^"\\]|\\.)*")`)
)

func findFix(log string) string {
	if m := inReport.FindStringSubmatch(log); m != nil {
		return m[1]
	}
	if m := inField.FindStringSubmatch(log); m != nil {
		fix, err := strconv.Unquote(m[1])
		if err != nil {
			return ""
		}
		return fix
	}
	if m := inLine.FindStringSubmatch(log); m != nil {
		return m[1]
	}
	return ""
}

// serves starts a server that may bind now. It has to serve, and then to hold what it should.
func serves(t *testing.T, s server, file string) {
	t.Helper()
	cmd, log := command(file, s.args...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	defer func() {
		cmd.Process.Kill()
		<-ended
	}()
	hung := time.After(time.Minute)
	until := func(why func() error) {
		for err := why(); err != nil; err = why() {
			select {
			case status := <-ended:
				ended <- status
				t.Fatalf("%v: %v\n%s", cmd, status, log)
			case <-hung:
				t.Fatalf("%v: %v", cmd, err)
			case <-time.After(10 * time.Millisecond):
			}
		}
	}
	until(s.asks)
	until(func() error { // a framework may serve before it returns, and the program drops then
		for _, set := range held(t, cmd.Process.Pid) {
			keeps := s.keeps && (set == "CapPrm:\t0000000000000400" || set == "CapEff:\t0000000000000400")
			if set[8:] != "0000000000000000" && !keeps {
				return errors.New("it serves with " + set)
			}
		}
		return nil
	})
}

// held returns the capability sets of each thread of a process, but the bounding one.
func held(t *testing.T, pid int) []string {
	files, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, file := range files {
		status, err := os.ReadFile(file)
		if errors.Is(err, os.ErrNotExist) || errors.Is(err, syscall.ESRCH) {
			continue // a thread that has ended
		}
		sets := regexp.MustCompile(`Cap(?:Inh|Prm|Eff|Amb):\t[0-9a-f]+`).FindAllString(string(status), -1)
		if err != nil || len(sets) != 4 {
			t.Fatalf("%s: %v, %q", file, err, sets)
		}
		all = append(all, sets...)
	}
	if len(all) == 0 {
		t.Fatalf("process %d has no threads", pid)
	}
	return all
}
