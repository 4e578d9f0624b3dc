package drop_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"strings"
	"syscall"
	"testing"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/caps/drop"
	"github.com/lowport/lowport/internal/needs"
	"golang.org/x/sys/unix"
)

func init() {
	children["to nobody"] = func() error {
		lockThreads(20)
		if err := drop.ToUser("nobody"); err != nil {
			return err
		}
		return errors.Join(everyThread(empty), isUser("nobody"), drop.ToUser("nobody"))
	}
	children["to nobody, keeping"] = func() error {
		lockThreads(20)
		if err := drop.ToUser("nobody", caps.NET_BIND_SERVICE); err != nil {
			return err
		}
		keep := caps.SetOf(caps.NET_BIND_SERVICE)
		return errors.Join(isUser("nobody"), everyThread(func(s caps.State) bool {
			return s.Permitted == keep && s.Effective|s.Inheritable|s.Ambient == 0 && s.NoNewPrivs
		}))
	}
	children["to nobody, who must not setresuid"] = func() error {
		if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
			return err
		}
		if err := filter(unix.SECCOMP_FILTER_FLAG_TSYNC, unix.SECCOMP_RET_KILL_PROCESS,
			unix.SYS_SETRESUID, unix.SYS_SETRESGID, unix.SYS_SETGROUPS, unix.SYS_SETUID); err != nil {
			return err
		}
		return errors.Join(drop.ToUser("nobody"), everyThread(empty))
	}
	children["to nobody, clamped"] = func() error {
		if err := drop.ToUser("nobody", caps.NET_BIND_SERVICE); err != nil {
			return err
		}
		return everyThread(func(s caps.State) bool { return s.Bounding == caps.SetOf(caps.NET_BIND_SERVICE) })
	}
	children["to nobody, refused"] = func() error {
		before, err := caps.Self()
		if err != nil {
			return err
		}
		var e *drop.Error
		if err := drop.ToUser("nobody"); !errors.Is(err, syscall.EPERM) || !errors.As(err, &e) {
			return fmt.Errorf("got %v", err)
		}
		before.Securebits = 0
		return everyThread(func(s caps.State) bool { return s == before })
	}
	children["to nobody in a user namespace"] = func() error {
		// 65534 is not mapped here, and setgroups is denied.
		if err := drop.ToUser("nobody"); err == nil {
			return errors.New("no error")
		}
		return nil
	}
}

func init() {
	for name, want := range map[string]string{"4712": "4712 4712 []", "4712:65534": "4712 65534 []", "65534:65534": "65534 65534 []"} {
		children["to user "+name] = func() error {
			if err := drop.ToUser(name); err != nil {
				return err
			}
			groups, err := os.Getgroups()
			if got := fmt.Sprint(os.Getuid(), " ", os.Getgid(), " ", groups); got != want || err != nil {
				return fmt.Errorf("got %s, %v", got, err)
			}
			return errors.Join(everyThread(empty), drop.ToUser(name))
		}
	}
	children["to user of a group of others"] = func() error {
		err := drop.ToUser("4712")
		if err == nil || !strings.Contains(err.Error(), "staff") || os.Getuid() != 0 {
			return fmt.Errorf("got %v", err)
		}
		return nil
	}
	children["groups denied, outside"] = func() error {
		both := []syscall.SysProcIDMap{{ContainerID: 0, HostID: 0, Size: 100}}
		cmd := exec.Command(testBinary())
		cmd.Env = append(os.Environ(), childEnv+"=groups denied")
		cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWUSER, UidMappings: both, GidMappings: both}
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("%w: %s", err, out)
		}
		return nil
	}
	children["groups denied"] = func() error {
		before, err := caps.Self()
		if err != nil {
			return err
		}
		err = drop.ToUser("1:1")
		var e *drop.Error
		if !errors.As(err, &e) || !errors.Is(err, syscall.EPERM) || !strings.Contains(err.Error(), "denies setgroups(2)") {
			return fmt.Errorf("got %v", err)
		}
		if after, err := caps.Self(); err != nil || after != before || os.Getuid() != 0 {
			return fmt.Errorf("changed: %+v, before: %+v, %v", after, before, err)
		}
		return nil
	}
}

// Without a user database, and beside one that does not have the number.
func TestToUserByNumber(t *testing.T) {
	needs.Root(t, "unshare", "mount")
	etc := func(script string) []string {
		return []string{"unshare", "--mount", "--", "sh", "-ec", "mount -t tmpfs tmpfs /etc; " + script + ` exec "$@"`, "sh"}
	}
	for _, name := range []string{"4712", "4712:65534", "65534:65534"} {
		ok(t, child(t, "to user "+name))
		ok(t, child(t, "to user "+name, etc("")...))
		ok(t, child(t, "to user "+name, "setpriv", "--groups=4,27", "--"))
	}
	ok(t, child(t, "to user of a group of others", etc("echo staff:x:4712: >/etc/group;")...))
}

// In a user namespace without setgroups(2) the groups cannot be left: nothing changes.
func TestGroupsDenied(t *testing.T) {
	needs.Root(t, "setpriv")
	ok(t, child(t, "groups denied, outside", "setpriv", "--groups=4", "--"))
}

// isUser checks every thread's credentials in the text of /proc.
func isUser(name string) error {
	u, err := user.Lookup(name)
	if err != nil {
		return err
	}
	groups, err := u.GroupIds()
	if err != nil {
		return err
	}
	tasks, err := os.ReadDir("/proc/self/task")
	if err != nil {
		return err
	}
	uids := "Uid:" + strings.Repeat("\t"+u.Uid, 4) + "\n"
	gids := "Gid:" + strings.Repeat("\t"+u.Gid, 4) + "\n"
	for _, task := range tasks {
		b, err := os.ReadFile("/proc/self/task/" + task.Name() + "/status")
		if errors.Is(err, os.ErrNotExist) || errors.Is(err, syscall.ESRCH) {
			continue
		}
		if err != nil {
			return err
		}
		status := string(b)
		_, after, _ := strings.Cut(status, "\nGroups:")
		line, _, _ := strings.Cut(after, "\n")
		if !strings.Contains(status, uids) || !strings.Contains(status, gids) || len(strings.Fields(line)) != len(groups) {
			return fmt.Errorf("not %s: thread %s: %s", name, task.Name(), status)
		}
	}
	return nil
}

func TestToUser(t *testing.T) {
	needs.Root(t, "setpriv", "unshare")
	ok(t, child(t, "to nobody"))
	ok(t, child(t, "to nobody, keeping"))
	ok(t, child(t, "to nobody, clamped"))
	nobody := []string{"setpriv", "--reuid=65534", "--regid=65534", "--init-groups"}
	ok(t, child(t, "to nobody", append(nobody, "--")...))
	ok(t, child(t, "to nobody, keeping", append(nobody, "--inh-caps=+net_bind_service", "--ambient-caps=+net_bind_service", "--")...))
	ok(t, child(t, "to nobody, who must not setresuid", append(nobody, "--inh-caps=+net_raw", "--ambient-caps=+net_raw", "--")...))
	// From another user, with the capabilities to change.
	ok(t, child(t, "to nobody, keeping", "setpriv", "--reuid=4711", "--regid=4711", "--clear-groups",
		"--inh-caps=+setuid,+setgid,+net_bind_service", "--ambient-caps=+setuid,+setgid,+net_bind_service", "--"))
	ok(t, child(t, "to nobody, refused", "setpriv", "--reuid=4711", "--regid=4711", "--clear-groups", "--"))
	ok(t, child(t, "to nobody, keeping", "setpriv", "--securebits=+no_setuid_fixup,+no_setuid_fixup_locked", "--"))
	ok(t, child(t, "to nobody in a user namespace", "unshare", "-Ur", "--"))
	ok(t, child(t, "to nobody in a user namespace", "setpriv", "--groups=0", "unshare", "-U", "--")) // every id reads 65534
}

// Inside a user namespace that maps the user, as in a container.
func TestUserNamespace(t *testing.T) {
	needs.Root(t)
	all := []syscall.SysProcIDMap{{ContainerID: 0, HostID: 0, Size: 1 << 16}}
	for _, name := range []string{"all", "bounding emptied", "clamp", "to nobody", "to nobody, clamped"} {
		cmd := child(t, name)
		cmd.SysProcAttr = &syscall.SysProcAttr{
			Cloneflags:                 syscall.CLONE_NEWUSER,
			UidMappings:                all,
			GidMappings:                all,
			GidMappingsEnableSetgroups: true,
		}
		ok(t, cmd)
	}
}

func TestToUserRefuses(t *testing.T) {
	var unknown user.UnknownUserError
	if err := drop.ToUser("no-such-user"); !errors.As(err, &unknown) {
		t.Errorf("unknown user: got %v", err)
	}
	if err := drop.ToUser("root"); err == nil {
		t.Error("root: no error")
	}
	if err := drop.ToUser("nobody", caps.SETUID); err == nil {
		t.Error("keeping cap_setuid: no error")
	}
}
