package guardtest_test

import (
	"context"
	"errors"
	"flag"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/guard"
	"github.com/lowport/lowport/guard/guardtest"
	"github.com/lowport/lowport/guard/recording"
)

var update = flag.Bool("update", false, "write the golden files anew")

// machines are those that are ready, by the names of their recordings.
var machines = map[string]guardtest.Machine{
	"root": guardtest.Root, "ordinary-user": guardtest.OrdinaryUser, "file-capability": guardtest.FileCapability,
	"nosuid-mount": guardtest.NosuidMount, "no-new-privs": guardtest.NoNewPrivs, "user-namespace": guardtest.UserNamespace,
	"port-in-use": guardtest.PortInUse, "systemd-ambient": guardtest.SystemdAmbient, "systemd-bounding": guardtest.SystemdBounding,
	"podman-non-root": guardtest.PodmanNonRoot, "docker-non-root": guardtest.DockerNonRoot, "kubernetes-restricted": guardtest.KubernetesRestricted,
}

// Of each machine the report of :443 is golden.
func TestMachines(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) != len(machines) {
		t.Errorf("%d recordings of %d machines: %v", len(files), len(machines), err)
	}
	for name, m := range machines {
		if recording, err := os.ReadFile("testdata/" + name + ".txtar"); err != nil || string(m) != string(recording) {
			t.Errorf("%s is another recording: %v", name, err)
		}
		var r guard.Report
		err := recording.Replay([]byte(m), ":443", guard.ReportTo(&r))
		if refused := (*guard.Error)(nil); err != nil && !errors.As(err, &refused) {
			t.Errorf("%s: %v", name, err)
		}
		golden := "testdata/" + name + ".txt"
		if *update {
			if err := os.WriteFile(golden, []byte(r.String()), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if r.String() != string(want) {
			t.Errorf("%s: (-update writes it anew) got\n%swant\n%s", name, r, want)
		}
	}
}

// How the bind went is recorded; the kernel's rules, asked without it, say the same.
func TestRulesAgreeWithRecordings(t *testing.T) {
	for name, m := range machines {
		var recorded, decided guard.Report
		_ = recording.Replay([]byte(m), ":443", guard.ReportTo(&recorded))
		_, without, _ := strings.Cut(string(m), "\n-- ")
		err := recording.Replay([]byte("-- "+without), ":443", guard.ReportTo(&decided))
		if refused := (*guard.Error)(nil); err != nil && !errors.As(err, &refused) {
			t.Errorf("%s: %v", name, err)
		}
		if recorded.String() != decided.String() {
			t.Errorf("%s: recorded\n%sdecided\n%s", name, recorded, decided)
		}
	}
}

func TestBind(t *testing.T) {
	ln, err := guardtest.FileCapability.Bind(":443")
	if err != nil {
		t.Fatal(err)
	}
	ln.Close()
	ln, err = guardtest.OrdinaryUser.Bind(":443")
	if ln != nil || !errors.Is(err, fs.ErrPermission) {
		t.Errorf("%v, %v", ln, err)
	}
	_, err = guardtest.PortInUse.Bind("127.0.0.1:443")
	if refused := (*guard.Error)(nil); !errors.As(err, &refused) || refused.ExitCode() != 69 {
		t.Errorf("%v", err)
	}
	_, err = guardtest.Root.Bind("192.0.2.1:443")
	if refused := (*guard.Error)(nil); !errors.As(err, &refused) || refused.Causes[0].ID != "address-unavailable" {
		t.Errorf("%v", err)
	}
	_, err = guardtest.Root.Bind("web.example:443")
	if refused := (*guard.Error)(nil); !errors.As(err, &refused) || refused.Causes[0].ID != "host-unresolved" {
		t.Errorf("%v", err)
	}
	_, err = guardtest.Root.Bind("443")
	if refused := (*guard.Error)(nil); !errors.As(err, &refused) || refused.ExitCode() != 64 {
		t.Errorf("%v", err)
	}
}

// The network is that of the function, or one of its protocol that an option
// chooses, as it is for the guard itself.
func TestNetwork(t *testing.T) {
	closed := func(c io.Closer, err error) error {
		if err == nil {
			c.Close()
		}
		return err
	}
	type bind func(address string, opts ...guard.Option) error
	tcp := func(address string, opts ...guard.Option) error {
		return closed(guardtest.Root.Bind(address, opts...))
	}
	udp := func(address string, opts ...guard.Option) error {
		return closed(guardtest.Root.BindPacket(address, opts...))
	}
	for _, tt := range []struct {
		bind             bind
		address, network string
		subject          string
		refused          bool
	}{
		{tcp, ":53", "tcp6", "bind tcp6 :53", false},
		{udp, ":53", "udp6", "bind udp6 :53", false},
		{tcp, ":53", "udp", "bind udp :53", true},
		{udp, ":53", "tcp4", "bind tcp4 :53", true},
		{udp, ":53", "ip", "bind ip :53", true},
		{tcp, "udp/:53", "tcp", "bind tcp udp/:53", true},
		{udp, "udp/:53", "udp", "bind udp udp/:53", true},
	} {
		var r guard.Report
		err := tt.bind(tt.address, guard.Network(tt.network), guard.ReportTo(&r))
		refused := (*guard.Error)(nil)
		if tt.refused != errors.As(err, &refused) || tt.refused != (err != nil) || r.Subject != tt.subject || tt.refused && refused.ExitCode() != 64 {
			t.Errorf("%s on %s: %v, %q", tt.address, tt.network, err, r.Subject)
		}
	}
}

// Several are bound or refused at once, by one error.
func TestBindAll(t *testing.T) {
	ctx := context.Background()
	s, err := guardtest.SystemdAmbient.BindAll(ctx, []string{":80", ":443", "udp/:53"})
	if err != nil || len(s.Listeners) != 2 || len(s.PacketConns) != 1 {
		t.Fatalf("%+v, %v", s, err)
	}
	s.Close()
	var r guard.Report
	s, err = guardtest.OrdinaryUser.BindAll(ctx, []string{":8443", ":443", "udp/:53"}, guard.ReportTo(&r))
	refused := (*guard.Error)(nil)
	if s != nil || !errors.As(err, &refused) || refused.ExitCode() != 77 || !strings.HasPrefix(err.Error(), "listen tcp :443, udp :53: ") || r.OK {
		t.Errorf("%+v, %v", s, err)
	}
	for _, addresses := range [][]string{nil, {":443", "443"}} {
		if _, err := guardtest.OrdinaryUser.BindAll(ctx, addresses); !errors.As(err, &refused) || refused.ExitCode() != 64 {
			t.Errorf("%q: %v", addresses, err)
		}
	}
}

func TestListen(t *testing.T) {
	ctx := context.Background()
	for _, network := range []string{"tcp", "tcp4", "tcp6"} {
		ln, err := guardtest.Root.Listen(ctx, network, ":443")
		if err != nil {
			t.Fatal(err)
		}
		ln.Close()
		if _, err := guardtest.OrdinaryUser.Listen(ctx, network, ":443"); !errors.Is(err, fs.ErrPermission) {
			t.Errorf("%s: %v", network, err)
		}
	}
	if _, err := guardtest.OrdinaryUser.ListenPacket(ctx, "udp4", ":53"); !errors.Is(err, fs.ErrPermission) {
		t.Error(err)
	}
	ln, err := guardtest.OrdinaryUser.Listen(ctx, "tcp", ":0")
	if err != nil {
		t.Fatal(err)
	}
	ln.Close()
	if _, err := guardtest.Root.Listen(ctx, "udp", ":443"); err == nil {
		t.Error("a TCP listener of UDP")
	}
	if ln, err = guardtest.OrdinaryUser.Listen(ctx, "unix", filepath.Join(t.TempDir(), "x")); err != nil {
		t.Fatal(err)
	}
	ln.Close()
}

func TestRequire(t *testing.T) {
	if err := guardtest.Root.Require(caps.NET_ADMIN); err != nil {
		t.Error(err)
	}
	for _, m := range []guardtest.Machine{guardtest.OrdinaryUser, guardtest.UserNamespace, guardtest.FileCapability} {
		err := m.Require(caps.NET_BIND_SERVICE)
		if refused := (*guard.Error)(nil); !errors.As(err, &refused) || !errors.Is(err, fs.ErrPermission) {
			t.Errorf("%v", err)
		}
	}
}

// What cannot be read or told is an error of its own, and never a refusal.
func TestNotTold(t *testing.T) {
	for _, m := range []guardtest.Machine{"", "nothing", "-- other --\n", "bind 443 EWHAT\n-- user --\nroot\n", "bind 443\n-- user --\nroot\n", "-- user --\nroot\n", guardtest.OrdinaryUser.With("other", "")} {
		ln, err := m.Bind(":443")
		if refused := (*guard.Error)(nil); err == nil || ln != nil || errors.As(err, &refused) || errors.Is(err, fs.ErrPermission) {
			t.Errorf("%.20q: %v, %v", m, ln, err)
		}
	}
}
