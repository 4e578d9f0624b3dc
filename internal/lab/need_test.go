//go:build linux

package lab

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/lowport/lowport/internal/needs"
)

// tools is what every scenario needs: name, and the package that has it.
var tools = []string{"mount", "unshare", "nsenter", "setpriv", "ip", "setcap", "getcap", "sudo"}

// required reports whether a missing tool is a failure and not a skip.
func required() bool { return os.Getenv("LOWPORT_LAB") == "require" }

// missing names those of the tools that are not installed.
func missing(tools ...string) []string {
	var none []string
	for _, tool := range tools {
		if _, err := exec.LookPath(tool); err != nil {
			none = append(none, tool)
		}
	}
	return none
}

// ours is the folder of the programs on a machine of the lab's own (.ci/kernels),
// "" on any other. There the kernel's policy may be changed, and there is no Go.
var ours = os.Getenv("LOWPORT_LAB_MACHINE")

// elsewhere says why a need is one for another machine, by design, "" if it is
// not. Nothing that could be installed here would change that, so that it is
// never a failure; it is counted.
func elsewhere(name string) string {
	switch name {
	case "apparmor", "selinux": // a policy is the whole kernel's
		if ours == "" {
			return name + " (make kernels)"
		}
		return lsmElsewhere(name)
	case "no_file_caps": // an option of the kernel's command line
		line, err := os.ReadFile("/proc/cmdline")
		if err == nil && !slices.Contains(strings.Fields(string(line)), name) {
			return name + " (make kernels)"
		}
	case "go", "systemd", "podman", "runc", "lxc-execute", "systemd-nspawn", "make", "node", "strip", "gcc", "runsv", "s6-supervise", "supervisord":
		if ours != "" {
			return name
		}
	}
	var major, minor, hasMajor, hasMinor int
	if _, err := fmt.Sscanf(name, "linux-%d.%d", &major, &minor); err != nil {
		return ""
	}
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		return ""
	}
	_, _ = fmt.Sscanf(unix.ByteSliceToString(u.Release[:]), "%d.%d", &hasMajor, &hasMinor)
	if hasMajor < major || hasMajor == major && hasMinor < minor {
		return name
	}
	return ""
}

// lsmElsewhere: of the two policies a kernel has one, which the machine's command
// line chooses: security=selinux, or else AppArmor.
func lsmElsewhere(name string) string {
	line, err := os.ReadFile("/proc/cmdline")
	if chosen := strings.Contains(string(line), "security=selinux"); err == nil && chosen != (name == "selinux") {
		return name
	}
	return ""
}

// lacks says what is missing here for a "needs" line, "" if nothing is.
func (h *house) lacks(name string) string {
	var try *exec.Cmd
	switch name {
	case "go", "no_file_caps":
		return ""
	case "userns": // Ubuntu's AppArmor lets ordinary users have no capabilities in one
		name = "user namespaces for ordinary users (sysctl kernel.apparmor_restrict_unprivileged_userns=0)"
		try = exec.Command("setpriv", "--reuid=65534", "--clear-groups", "unshare", "-Ur", "true")
	case "landlock":
		name = "Landlock with rules for TCP (Linux 6.7)"
		try = exec.Command(filepath.Join(h.bin, "landlocked"), "true")
	case "apparmor", "selinux":
		lsms, err := os.ReadFile("/sys/kernel/security/lsm")
		if err == nil && strings.Contains(","+string(lsms)+",", ","+name+",") {
			return ""
		}
		return "a kernel with " + name
	default:
		if strings.HasPrefix(name, "linux-") {
			return ""
		}
		return strings.Join(missing(name), "")
	}
	if try.Run() == nil {
		return ""
	}
	return name
}

// needRoot skips for an ordinary user, whatever is required: who wants the lab
// runs it as root.
func needRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("the lab needs root: sudo -E env LOWPORT_LAB=require go test -count=1 ./internal/lab")
	}
	needs.Root(t)
}

// A skipper is a test that can be skipped or failed.
type skipper interface {
	Skip(...any)
	Fatal(...any)
}

// lack ends the test: what it needs is not here.
func lack(t skipper, what ...string) {
	message := "the lab needs " + strings.Join(what, ", ") + " (internal/lab/packages.txt)"
	if required() {
		t.Fatal(message)
	}
	t.Skip(message)
}
