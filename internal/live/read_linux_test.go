package live

import (
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/internal/archive"
	"github.com/lowport/lowport/internal/diff"
	"github.com/lowport/lowport/internal/facts"
	"github.com/lowport/lowport/internal/facts/factstest"
	"github.com/lowport/lowport/internal/needs"
)

// A child of this test only prints the record of the machine it sees.
func TestMain(m *testing.M) {
	if os.Getenv("LOWPORT_LIVE_CHILD") == "" {
		os.Exit(m.Run())
	}
	os.Stdout.Write(archive.Save(Read()))
}

// This machine, saved and loaded elsewhere, gives the facts that it gave here;
// and none of those that every Linux has is missing.
func TestLiveRoundTrip(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	r := Read(ln.Addr().(*net.TCPAddr).Port)
	loaded, err := archive.Load(archive.Save(r))
	if err != nil {
		t.Fatal(err)
	}
	if diff := diff.Of(factstest.Plain(r), factstest.Plain(loaded)); diff != "" {
		t.Error(diff)
	}
	if diff := diff.Of(r.Facts(), loaded.Facts()); diff != "" {
		t.Error(diff)
	}
	may := map[string]bool{ // be absent or forbidden on a sound machine
		"Launcher.Init": true, "File.Installed.Caps": true, "File.Exe.Caps": true, "File.Moved.Caps": true, "File.Moved.Stat": true, "File.Moved.Nosuid": true, "File.Moved.Frozen": true,
		"Launcher.Unit": true, "Launcher.Container": true, "Policy.LSMs": true, "Policy.Label": true, "Command.User": true, "File.MountPoint": true, "Net.Owner": true, "Command.Package": true,
		"Launcher.Ancestor": true, "Launcher.Parent": true, "Launcher.Tracer": true, "Policy.Enforcing": true, "File.PathSeenByOperator": true, "File.ReadOnlyThere": true, "Net.Apart": true, "Net.Name": true,
		"Launcher.Operator": true, "Launcher.UnitFilters": true, "Launcher.LastDropIn": true, "Launcher.Supervisor": true, "Launcher.Stopped": true, "Launcher.SharesFS": true, "File.IdmappedThere": true,
	}
	for name, got := range factstest.Words(r.Facts()) {
		if !may[name] && !strings.HasPrefix(got, "known") {
			t.Errorf("%s is %q", name, got)
		}
	}
}

// What the record says of this process is what others say of it.
func TestLiveAgrees(t *testing.T) {
	defer func(args []string) { os.Args = args }(os.Args)
	os.Args = []string{"app", "", "-x\xff\n\"", "ünï"}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()

	f := Read().Facts()
	self, err := caps.Self()
	if err != nil {
		t.Fatal(err)
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	wd, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(exe)
	if err != nil {
		t.Fatal(err)
	}
	type agreed struct {
		Thread    caps.State
		IDs       facts.IDs
		Path, Cwd string
		Args      []string
		Mode      os.FileMode
		Deleted   bool
	}
	want := agreed{self, facts.IDs{UID: uint32(os.Getuid()), EUID: uint32(os.Geteuid()), GID: uint32(os.Getgid()), EGID: uint32(os.Getegid())},
		exe, wd, os.Args, info.Mode().Perm(), false}
	got := agreed{f.Proc.Thread.Value, f.Proc.IDs.Value, f.File.Path.Value, f.Command.Cwd.Value, f.Command.Args.Value, os.FileMode(f.File.Exe.Stat.Value.Mode).Perm(), f.File.Deleted.Value}
	if diff := diff.Of(want, got); diff != "" {
		t.Error(diff)
	}
	if f.File.Exe.Stat != f.File.Installed.Stat && f.File.Exe.Stat.Value != f.File.Installed.Stat.Value {
		t.Errorf("the running file %v is not the one at its path %v", f.File.Exe.Stat, f.File.Installed.Stat)
	}
}

func TestLiveSockets(t *testing.T) {
	ipv6 := needs.IPv6(t)
	for _, tt := range []struct {
		network, address string
		v6only           bool
	}{
		{"tcp4", "127.0.0.1:0", false},
		{"tcp4", "0.0.0.0:0", false},
		{"tcp6", "[::1]:0", false},
		{"tcp6", "[::]:0", true},
		{"tcp", ":0", false},
	} {
		if tt.network == "tcp6" && !ipv6 {
			continue
		}
		ln, err := net.Listen(tt.network, tt.address)
		if err != nil {
			t.Errorf("%s %s: %v", tt.network, tt.address, err)
			continue
		}
		addr := ln.Addr().(*net.TCPAddr).AddrPort()
		socks := Read(int(addr.Port())).Facts().Net.Sockets
		found := false
		for _, s := range socks.Value {
			if s.Addr.Port() != addr.Port() {
				t.Errorf("%v has another port than %v", s, addr)
			}
			if s.Addr != addr || !s.Listen {
				continue
			}
			found = true
			if !s.Self || s.PID != os.Getpid() || s.UID != uint32(os.Geteuid()) || s.Inode == 0 || s.Command == "" {
				t.Errorf("%v: our own socket is %+v", addr, s)
			}
			if want := "tcp" + map[bool]string{true: "6"}[addr.Addr().Is6()]; s.Network != want || addr.Addr().IsUnspecified() && s.V6Only != tt.v6only {
				t.Errorf("%s %s: got %+v", tt.network, tt.address, s)
			}
		}
		if !found {
			t.Errorf("%s %v: our own listener is not among %v", tt.network, addr, socks)
		}
		ln.Close()
		for _, s := range Read(int(addr.Port())).Facts().Net.Sockets.Value {
			if s.Listen && s.Addr == addr {
				t.Errorf("%v still listens after Close", s)
			}
		}
	}
}

// The path of the running file is read byte for byte.
func TestLiveHostilePath(t *testing.T) {
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"new\nline", "\xff\x1b[31m", "-- args --", `"`, "ends in a newline\n", "$(id) 'q' \\"} {
		dir := filepath.Join(t.TempDir(), name)
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		link := filepath.Join(dir, name)
		copyFile(t, exe, link)
		cmd := exec.Command(link)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "LOWPORT_LIVE_CHILD=1", "PWD="+dir)
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("%q: %v", name, err)
		}
		r, err := archive.Load(out)
		if err != nil {
			t.Fatalf("%q: %v", name, err)
		}
		f := r.Facts()
		if f.File.Path.Value != link || f.Command.Cwd.Value != dir || f.Command.Args.Value[0] != link {
			t.Errorf("%q: path %+q, cwd %+q, args %+q", link, f.File.Path, f.Command.Cwd, f.Command.Args)
		}
		if f.File.Installed.Stat.State != facts.Known {
			t.Errorf("%q: %+v", link, f.File.Installed.Stat)
		}
	}
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	src, err := os.Open(from)
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	dst, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o755)
	if err != nil {
		t.Fatal(err)
	}
	_, err = io.Copy(dst, src)
	if err := dst.Close(); err != nil {
		t.Fatal(err)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// A process whose file is gone says so, and where it was.
func TestLiveDeleted(t *testing.T) {
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "app")
	copyFile(t, exe, path)
	cmd := exec.Command("sh", "-c", `rm "$0"; exec /proc/self/fd/3`, path)
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	cmd.ExtraFiles = []*os.File{file}
	cmd.Env = append(os.Environ(), "LOWPORT_LIVE_CHILD=1")
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	r, err := archive.Load(out)
	if err != nil {
		t.Fatal(err)
	}
	f := r.Facts()
	if f.File.Path.Value != path || !f.File.Deleted.Value || f.File.Exe.Stat.State != facts.Known || f.File.Installed.Stat.State != facts.Absent {
		t.Errorf("path %+v, deleted %+v, running %+v, at the path %+v", f.File.Path, f.File.Deleted, f.File.Exe.Stat, f.File.Installed.Stat)
	}
}

// A living file whose own name ends in " (deleted)" looks like a removed one
// of another name, which no fix may name.
func TestLiveNamedDeleted(t *testing.T) {
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "app (deleted)")
	copyFile(t, exe, path)
	cmd := exec.Command(path)
	cmd.Env = append(os.Environ(), "LOWPORT_LIVE_CHILD=1")
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	r, err := archive.Load(out)
	if err != nil {
		t.Fatal(err)
	}
	if f := r.Facts(); f.File.Path.State != facts.Unreadable || f.File.Deleted.State != facts.Unreadable {
		t.Errorf("path %+v, deleted %+v", f.File.Path, f.File.Deleted)
	}
}

// The answers of sock_diag come from the kernel, yet not one length is taken
// on trust.
func FuzzParseDiag(f *testing.F) {
	f.Add(make([]byte, 72), uint8(6))
	f.Add(append(make([]byte, 72), 5, 0, v6OnlyAttr, 0, 1, 0, 0, 0), uint8(17))
	f.Add(append(make([]byte, 72), 0, 0, 0, 0), uint8(6))
	f.Add(append(make([]byte, 72), 255, 255, cgroupIDAttr, 0), uint8(6))
	f.Fuzz(func(t *testing.T, b []byte, proto uint8) {
		s, err := parseDiag(b, proto)
		if err == nil && (len(b) < 72 || !s.Addr.IsValid()) {
			t.Errorf("%d bytes gave %+v", len(b), s)
		}
	})
}

func TestReadPath(t *testing.T) {
	big := filepath.Join(t.TempDir(), "big")
	if err := os.WriteFile(big, make([]byte, limit+1), 0o600); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		big:                       fmt.Sprintf("longer than %d bytes", limit),
		"/proc/self/task":         "", // a directory: present
		filepath.Dir(big) + "/no": "ENOENT",
	} {
		r := newReading()
		r.add("x", func() ([]byte, error) { return readPath(path) })
		if got := r.Record["x"]; got.Err != want || len(got.Data) != 0 {
			t.Errorf("%s: %q, want error %q", path, got, want)
		}
	}
}

// In a root of its own a unit of systemd-run is known by its name.
func TestTransientByName(t *testing.T) {
	for name, want := range map[string]bool{"run-u1": true, "run-p7-i8": true, "run-r0123456789abcdef0123456789abcdef": true, "run-app": false} {
		r := facts.Record{"proc/self/cgroup": {Data: []byte("0::/system.slice/" + name + ".service\n")}}
		for outside, own := range map[string]bool{"/srv/jail/app": true, facts.SameOutside: false} {
			r["path outside"] = facts.Item{Data: []byte(outside)}
			if _, err := transient(r); (err == nil) != (want && own) {
				t.Errorf("%s, %q: %v", name, outside, err)
			}
		}
	}
}
