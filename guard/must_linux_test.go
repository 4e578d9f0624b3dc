package guard_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/guard"
	"github.com/lowport/lowport/internal/needs"
	"github.com/lowport/lowport/privport"
)

// The Must functions end the process: each case is the test binary again, with
// its name and address in the environment.
func TestMain(m *testing.M) {
	address := os.Getenv("LOWPORT_ADDRESS")
	switch os.Getenv("LOWPORT_GUARD_CHILD") {
	case "":
		os.Unsetenv("LISTEN_FDS") // of a parent that did not
		os.Exit(m.Run())
	case "bind":
		guard.MustBind(address).Close()
	case "bind with a logger":
		guard.MustBind(address, guard.OnRefusal(func(e *guard.Error) { fmt.Println("own logger:", e.Causes[0].ID) }))
	case "bind in Kubernetes":
		guard.MustBind(address, guard.OnRefusal(guard.TerminationLog))
	case "bind all":
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		guard.MustBindAll(ctx, []string{address})
	case "bind in the journal":
		var st unix.Stat_t
		if err := unix.Fstat(2, &st); err != nil {
			panic(err)
		}
		os.Setenv("JOURNAL_STREAM", fmt.Sprintf("%d:%d", st.Dev, st.Ino))
		guard.MustBind(address)
	case "bind beside a socket":
		os.Setenv("LISTEN_PID", fmt.Sprint(os.Getpid()))
		_, err := guard.Listen(context.Background(), "tcp4", address)
		_, errAll := guard.BindAll(context.Background(), []string{"tcp4/" + address, "tcp4/" + address})
		fmt.Printf("%v\n%+v\n%v\n", err, err, errAll)
	case "require":
		guard.MustRequire(caps.SYS_ADMIN)
	case "require nothing":
		guard.MustRequire()
	}
}

// child runs a case as a user without privilege.
func child(t *testing.T, name, address string) (stdout, stderr string, code int) {
	t.Helper()
	exe, err := os.Open("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	defer exe.Close()
	var out, errs strings.Builder
	cmd := exec.Command("/proc/self/fd/3") // the file's folder may be closed to the user
	cmd.ExtraFiles = []*os.File{exe}
	cmd.Stdout, cmd.Stderr, cmd.Dir = &out, &errs, "/"
	cmd.Env = append(os.Environ(), "LOWPORT_GUARD_CHILD="+name, "LOWPORT_ADDRESS="+address)
	if os.Geteuid() == 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	}
	var exit *exec.ExitError
	err = cmd.Run()
	if errors.Is(err, syscall.EPERM) && os.Geteuid() == 0 {
		needs.Lack(t, "a root that may become another user")
	}
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}

// A socket that was passed for the port and does not fit is said, with the line of the unit that
// would, in the error's own line. If more than one address failed, that line does not help alone.
func TestSocketLine(t *testing.T) {
	ln, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	passed, err := ln.(*net.TCPListener).File()
	if err != nil {
		t.Fatal(err)
	}
	defer passed.Close()
	port := ln.Addr().(*net.TCPAddr).Port
	cmd := exec.Command("/proc/self/exe")
	cmd.ExtraFiles = []*os.File{passed}
	cmd.Env = append(os.Environ(), "LOWPORT_GUARD_CHILD=bind beside a socket", "LISTEN_FDS=1", "LISTEN_FDNAMES=a.socket",
		fmt.Sprintf("LOWPORT_ADDRESS=:%d", port))
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	line, rest, _ := strings.Cut(string(out), "\n")
	fix := fmt.Sprintf(`; fix: in the .socket unit, instead of its line for port %d: [Socket] ListenStream=0.0.0.0:%d`, port, port)
	if !strings.HasSuffix(line, fix) {
		t.Errorf("%s does not end with %s", line, fix)
	}
	note := fmt.Sprintf("note: inherited tcp4 127.0.0.1:%d (named \"a.socket\") is not what was asked for", port)
	rest = strings.Join(strings.Fields(rest), " ") // in one line
	if !strings.Contains(rest, note) || strings.Count(rest, ".socket unit, instead") != 1 {
		t.Errorf("%s\nwithout %s, or with the fix in the error of several addresses", rest, note)
	}
}

func TestMust(t *testing.T) {
	start, err := privport.Start()
	if err != nil {
		t.Fatal(err)
	}
	self, err := caps.Self()
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	for _, tt := range []struct {
		name, address string
		code          int
		stderr        string // its first line starts so
	}{
		{"bind", "127.0.0.1:1", 77, "listen tcp 127.0.0.1:1: permission denied: "},
		{"bind", ln.Addr().String(), 69, "listen tcp " + ln.Addr().String() + ": address already in use: port "},
		{"bind", "443", 64, "listen tcp 443: malformed address: "},
		{"bind", "127.0.0.1:65536", 64, "listen tcp 127.0.0.1:65536: malformed address: "},
		{"bind", "1.2.3.4\x1b[2J:\n", 64, `listen tcp "1.2.3.4\x1b[2J:\n": malformed address: `},
		{"require", "", 77, "require cap_sys_admin: not held: "},
		{"require nothing", "", 0, ""},
	} {
		if tt.address == "127.0.0.1:1" && start <= 1 {
			t.Log("no port is privileged here: the refusal of a privileged one is not tested")
			continue
		}
		if tt.code == 77 && self.Ambient != 0 {
			t.Logf("a child of this process has %v: no refusal is tested", self.Ambient)
			continue
		}
		stdout, stderr, code := child(t, tt.name, tt.address)
		if code != tt.code || stdout != "" || !strings.HasPrefix(stderr, tt.stderr) || (tt.code == 0) != (stderr == "") {
			t.Errorf("%s %q: exit code %d, want %d; stdout %q, stderr:\n%s", tt.name, tt.address, code, tt.code, stdout, stderr)
		}
		if strings.ContainsAny(stderr, "\x1b\r\t") || strings.Contains(stderr, "goroutine ") {
			t.Errorf("%s %q: stderr %q", tt.name, tt.address, stderr)
		}
	}
}

// A program's own logger gets the refusal, and nothing else is written.
func TestOnRefusal(t *testing.T) {
	stdout, stderr, code := child(t, "bind with a logger", "443")
	if stdout != "own logger: address-invalid\n" || stderr != "" || code != 64 {
		t.Errorf("exit code %d, stdout %q, stderr %q", code, stdout, stderr)
	}
}

// In the journal each line has the priority of an error; elsewhere none has.
func TestJournal(t *testing.T) {
	_, plain, _ := child(t, "bind", "443")
	_, stderr, code := child(t, "bind in the journal", "443")
	if want := "<3>" + strings.ReplaceAll(strings.TrimSuffix(plain, "\n"), "\n", "\n<3>") + "\n"; stderr != want || code != 64 {
		t.Errorf("exit code %d, got\n%swant\n%s", code, stderr, want)
	}
}

// Without a termination log the report goes to standard error all the same.
func TestTerminationLogAbsent(t *testing.T) {
	_, stderr, code := child(t, "bind in Kubernetes", "443")
	if code != 64 || !strings.HasPrefix(stderr, "listen tcp 443: malformed address: ") {
		t.Errorf("exit code %d, stderr %q", code, stderr)
	}
}

// An end that the context brought is no refusal of a permission.
func TestMustWithoutReport(t *testing.T) {
	_, stderr, code := child(t, "bind all", "localhost:443")
	if code != 69 || stderr != "listen tcp: context canceled\n" {
		t.Errorf("exit code %d, stderr %q", code, stderr)
	}
}

// On success nothing is said, and the listener works.
func TestMustBindFree(t *testing.T) {
	if _, stderr, code := child(t, "bind", free(t)); code != 0 || stderr != "" {
		t.Errorf("exit code %d, stderr %q", code, stderr)
	}
}

// free returns an address that was free a moment ago.
func free(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return ln.Addr().String()
}

func TestBind(t *testing.T) {
	var r guard.Report
	ln, err := guard.Bind(free(t), guard.ReportTo(&r), guard.Network("tcp4"))
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	if !r.OK || r.Via != "plain" || r.Error != "" || r.Causes == nil || r.Notes == nil || len(r.Notes) != 0 {
		t.Errorf("report of success: %+v", r)
	}
	if got := r.String(); got != "bind tcp4 "+ln.Addr().String()+": ok (plain)\n" {
		t.Errorf("String() = %q", got)
	}

	// The same again is in use, and the report says by whom.
	again, err := guard.Bind(ln.Addr().String(), guard.ReportTo(&r))
	var refused *guard.Error
	var op *net.OpError
	if again != nil || !errors.As(err, &refused) || !errors.As(err, &op) || !errors.Is(err, syscall.EADDRINUSE) || errors.Is(err, fs.ErrPermission) {
		t.Fatalf("%v, %#v", again, err)
	}
	if r.OK || r.Errno != "EADDRINUSE" || r.Via != "" || len(r.Causes) != 1 || r.Causes[0].ID != "address-in-use" || r.Causes[0].Certainty != "proven" {
		t.Errorf("report of refusal: %+v", r)
	}
	if !strings.Contains(r.String(), "this process itself") || len(r.Fixes) != 0 {
		t.Errorf("%s", r)
	}
}

// Two listeners, or none: the network decides.
func TestNetwork(t *testing.T) {
	if _, err := guard.Bind("[::1]:8080", guard.Network("tcp4")); err == nil {
		t.Error("an IPv6 address was bound for tcp4")
	}
	for _, network := range []string{"udp", "unix", "", "tcp\x1b[2J"} {
		var refused *guard.Error
		_, err := guard.Bind("127.0.0.1:8080", guard.Network(network))
		if !errors.As(err, &refused) || refused.ExitCode() != 64 || strings.Contains(refused.String(), "\x1b") {
			t.Errorf("network %q: %q", network, err)
		}
	}
}

func TestRequire(t *testing.T) {
	self, err := caps.Threads(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []caps.Cap{caps.CHOWN, caps.NET_BIND_SERVICE, caps.SYS_ADMIN, caps.SYS_RESOURCE} {
		all := true
		for _, s := range self {
			all = all && s.Effective.Has(c)
		}
		err := guard.Require(c)
		var refused *guard.Error
		if err == nil && !all {
			t.Errorf("%v holds, and is not effective on every thread: %+v", c, self)
		}
		if err != nil && (!errors.As(err, &refused) || !errors.Is(err, fs.ErrPermission) || refused.ExitCode() != 77 || len(refused.Causes) == 0) {
			t.Errorf("%v: %#v", c, err)
		}
	}
	if err := guard.Require(63); err == nil {
		t.Error("a capability that no kernel has holds")
	}
}
