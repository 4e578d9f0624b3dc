//go:build linux

package box

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// UserIDs are the users of every sandbox, beside root; their groups are alike.
var UserIDs = map[string]int{"app": 1000, "operator": 1001}

// WriteBase writes the files that every sandbox lays over this machine's: the
// two users, sudo for one of them, and a systemd that leaves the machine alone.
func WriteBase(dir string) error {
	passwd, err := withUsers("/etc/passwd", "NAME:x:ID:ID::/home/NAME:/bin/sh\n")
	if err != nil {
		return err
	}
	group, err := withUsers("/etc/group", "NAME:x:ID:\n")
	if err != nil {
		return err
	}
	shadow, err := withUsers("/etc/shadow", "NAME:!:20000::::::\n")
	if err != nil {
		return err
	}
	files := []struct {
		path, content string
		mode          os.FileMode
	}{
		{"etc/passwd", passwd, 0o644},
		{"etc/group", group, 0o644},
		{"etc/shadow", shadow, 0o600},
		{"etc/hostname", "lab\n", 0o644},
		{"etc/hosts", "127.0.0.1 localhost lab\n::1 localhost\n", 0o644},
		{"etc/resolv.conf", "", 0o644},
		{"etc/sudoers", "Defaults env_reset\nroot ALL=(ALL:ALL) ALL\noperator ALL=(ALL:ALL) NOPASSWD: ALL\n", 0o440},
		{"home/app/.profile", "", 0o644},
		{"home/operator/.profile", "", 0o644},
		{"etc/systemd/system.conf", "[Manager]\nDefaultTimeoutStartSec=20s\nDefaultTimeoutStopSec=2s\n", 0o644},
		{"etc/systemd/journald.conf", "[Journal]\nStorage=volatile\n", 0o644},
	}
	for _, f := range files {
		path := filepath.Join(dir, f.path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, []byte(f.content), f.mode); err != nil {
			return err
		}
	}
	for name, id := range UserIDs {
		for _, path := range []string{"home/" + name, "home/" + name + "/.profile"} {
			if err := os.Lchown(filepath.Join(dir, path), id, id); err != nil {
				return err
			}
		}
	}
	for _, unit := range machineUnits {
		if err := mask(dir, unit); err != nil {
			return err
		}
	}
	return nil
}

// withUsers is one of this machine's account files with the sandbox's own users
// in the place of whoever has their names or numbers here. The numbers are in
// the third field of passwd and group; shadow has none there that matter.
func withUsers(path, format string) (string, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	for line := range strings.Lines(string(content)) {
		field := strings.Split(strings.TrimSpace(line), ":")
		taken := false
		for name, id := range UserIDs {
			taken = taken || field[0] == name || len(field) > 2 && field[2] == fmt.Sprint(id)
		}
		if !taken {
			b.WriteString(line)
		}
	}
	for name, id := range UserIDs {
		b.WriteString(strings.NewReplacer("NAME", name, "ID", fmt.Sprint(id)).Replace(format))
	}
	return b.String(), nil
}

// machineUnits are the units that would touch what the sandbox shares with this
// machine (kernel settings, modules, devices), or that only take time.
var machineUnits = []string{
	"dev-hugepages.mount", "dev-mqueue.mount", "kmod-static-nodes.service",
	"modprobe@.service", "proc-sys-fs-binfmt_misc.automount",
	"proc-sys-fs-binfmt_misc.mount", "sys-fs-fuse-connections.mount",
	"sys-kernel-config.mount", "sys-kernel-debug.mount",
	"sys-kernel-tracing.mount", "systemd-binfmt.service",
	"systemd-hwdb-update.service", "systemd-journal-flush.service",
	"systemd-machine-id-commit.service", "systemd-modules-load.service",
	"systemd-pstore.service", "systemd-random-seed.service",
	"systemd-remount-fs.service", "systemd-sysctl.service",
	"systemd-sysusers.service", "systemd-timesyncd.service",
	"systemd-tmpfiles-setup-dev.service", "systemd-tmpfiles-setup.service",
	"systemd-udev-trigger.service", "systemd-udevd.service",
	"systemd-udevd-control.socket", "systemd-udevd-kernel.socket",
	"systemd-update-utmp.service",
}

func mask(dir, unit string) error {
	path := filepath.Join(dir, "etc/systemd/system", unit)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.Symlink("/dev/null", path)
}
