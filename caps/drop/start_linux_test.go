package drop_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/caps/drop"
	"github.com/lowport/lowport/internal/needs"
	"golang.org/x/sys/unix"
)

// identity is what a process holds, as /proc prints it, along with its
// securebits: the lines that setpriv and Start are compared by.
func identity(cmd *exec.Cmd, run func(*exec.Cmd) error) (string, error) {
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	cmd.Env = append(os.Environ(), "GORACE=atexit_sleep_ms=0", childEnv+"=show yourself")
	if err := run(cmd); err != nil {
		return "", fmt.Errorf("%w: %s", err, &out)
	}
	return out.String(), nil
}

func init() {
	children["show yourself"] = func() error {
		status, err := os.ReadFile("/proc/self/status")
		if err != nil {
			return err
		}
		for line := range strings.Lines(string(status)) {
			switch name, _, _ := strings.Cut(line, ":"); name {
			case "Uid", "Gid", "Groups", "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb", "NoNewPrivs":
				fmt.Print(line)
			}
		}
		self, err := caps.Self()
		if err != nil {
			return err
		}
		fmt.Printf("Securebits:\t%#x\n", uint32(self.Securebits))
		return nil
	}
}

func startAndWait(c drop.Child) func(*exec.Cmd) error {
	return func(cmd *exec.Cmd) error {
		return errors.Join(drop.Start(cmd, c), func() error {
			if cmd.Process == nil {
				return nil
			}
			return cmd.Wait()
		}())
	}
}

func TestStart(t *testing.T) {
	needs.Root(t, "setpriv")
	before := self(t)
	nobody, err := drop.LookupUser("nobody")
	if err != nil {
		t.Fatal(err)
	}
	www, err := drop.LookupUser("www-data")
	if err != nil {
		t.Fatal(err)
	}
	www.Groups = []uint32{33, 7, 4711}
	exe := openCopy(t)
	bind := caps.SetOf(caps.NET_BIND_SERVICE)
	raw := caps.SetOf(caps.NET_RAW)
	for _, tt := range []struct {
		setpriv string
		child   drop.Child
	}{
		// The seed of it all: a server that may bind low ports and no more.
		{"--reuid=nobody --regid=nogroup --init-groups --inh-caps=+net_bind_service --ambient-caps=+net_bind_service --bounding-set=-all,+net_bind_service",
			drop.Child{User: &nobody, Inheritable: bind, Ambient: bind, Bounding: bind}},
		{"--reuid=nobody --regid=nogroup --init-groups --inh-caps=+net_bind_service --ambient-caps=+net_bind_service --bounding-set=-all,+net_bind_service --no-new-privs",
			drop.Child{User: &nobody, Inheritable: bind, Ambient: bind, Bounding: bind, NoNewPrivs: true}},
		{"--bounding-set=-all", drop.Child{}},
		{"--reuid=www-data --regid=www-data --groups=7,33,4711 --bounding-set=-all --nnp", drop.Child{User: &www, NoNewPrivs: true}},
		{"--reuid=nobody --regid=nogroup --clear-groups --inh-caps=+net_raw",
			drop.Child{User: &drop.User{UID: nobody.UID, GID: nobody.GID}, Inheritable: raw, Bounding: before.Bounding}},
		{"--inh-caps=+net_raw,+net_bind_service --ambient-caps=+net_raw --bounding-set=-all,+net_raw,+net_bind_service --securebits=+noroot,+noroot_locked",
			drop.Child{Inheritable: raw | bind, Ambient: raw, Bounding: raw | bind, Securebits: caps.NoRoot | caps.NoRootLocked}},
		{"--reuid=nobody --regid=nogroup --init-groups --inh-caps=+net_raw --ambient-caps=+net_raw --securebits=+noroot,+noroot_locked,+no_setuid_fixup,+no_setuid_fixup_locked",
			drop.Child{User: &nobody, Inheritable: raw, Ambient: raw, Bounding: before.Bounding,
				Securebits: caps.NoRoot | caps.NoRootLocked | caps.NoSetuidFixup | caps.NoSetuidFixupLocked}},
	} {
		want, err := identity(exec.Command("setpriv", append(strings.Fields(tt.setpriv), "--", exe)...), (*exec.Cmd).Run)
		if err != nil {
			t.Errorf("setpriv %s: %v", tt.setpriv, err)
			continue
		}
		got, err := identity(exec.Command(exe), startAndWait(tt.child))
		if err != nil {
			t.Errorf("as setpriv %s: %v", tt.setpriv, err)
		}
		if got != want {
			t.Errorf("setpriv %s:\n%sStart:\n%s", tt.setpriv, want, got)
		}
	}
	// The parent has not changed, on no thread, and has not while the child runs.
	for range 20 {
		cmd := exec.Command("true")
		if err := drop.Start(cmd, drop.Child{}); err != nil {
			t.Fatal(err)
		}
		if _, err := drop.Held(); err != nil {
			t.Error("beside the child:", err)
		}
		if err := cmd.Wait(); err != nil {
			t.Error(err)
		}
	}
	before.Securebits = 0
	if err := everyThread(func(s caps.State) bool { return s == before }); err != nil {
		t.Error("after Start:", err)
	}
	if d, err := unix.PrctlRetInt(unix.PR_GET_DUMPABLE, 0, 0, 0, 0); d != 1 || err != nil {
		t.Errorf("dumpable is %d, %v", d, err)
	}
}

func TestStartRefuses(t *testing.T) {
	bind := caps.SetOf(caps.NET_BIND_SERVICE)
	for name, c := range map[string]drop.Child{
		"not inheritable":     {Ambient: bind},
		"not in the bounding": {Bounding: 1 << 63},
		"keepcaps":            {Securebits: caps.KeepCaps},
		"unknown inheritable": {Inheritable: 1 << 63},
	} {
		cmd := exec.Command(testBinary())
		if err := drop.Start(cmd, c); err == nil || cmd.Process != nil {
			t.Errorf("%s: started, %v", name, err)
		}
	}
	one := []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}}
	for name, attr := range map[string]*syscall.SysProcAttr{
		"Pdeathsig":         {Pdeathsig: syscall.SIGKILL},
		"user namespace":    {Cloneflags: syscall.CLONE_NEWUSER, UidMappings: one},
		"by unshare itself": {Unshareflags: syscall.CLONE_NEWUSER, UidMappings: one},
	} {
		cmd := exec.Command(testBinary())
		cmd.SysProcAttr = attr
		if err := drop.Start(cmd, drop.Child{Bounding: self(t).Bounding}); err == nil || cmd.Process != nil {
			t.Errorf("%s: started, %v", name, err)
		}
	}
}

// An ordinary user can start a child that holds less.
func TestStartUnprivileged(t *testing.T) {
	needs.Root(t, "setpriv")
	ok(t, child(t, "starts", "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=+net_raw,+net_admin",
		"--ambient-caps=+net_raw,+net_admin", "--"))
}

func init() {
	children["starts"] = func() error {
		raw := caps.SetOf(caps.NET_RAW)
		before, err := caps.Self()
		if err != nil {
			return err
		}
		got, err := identity(exec.Command("/proc/self/exe"), startAndWait(drop.Child{
			User:        &drop.User{UID: 65534, GID: 65534},
			Inheritable: raw, Ambient: raw, Bounding: before.Bounding,
		}))
		if err != nil {
			return err
		}
		if !strings.Contains(got, "CapPrm:\t"+raw.Hex()) || !strings.Contains(got, "CapAmb:\t"+raw.Hex()) {
			return errors.New(got)
		}
		if err := drop.Start(exec.Command("/proc/self/exe"), drop.Child{}); !errors.Is(err, syscall.EPERM) {
			return fmt.Errorf("bounding set emptied: %v", err)
		}
		return nil
	}
}

func self(t *testing.T) caps.State {
	t.Helper()
	s, err := caps.Self()
	if err != nil {
		t.Fatal(err)
	}
	return s
}
