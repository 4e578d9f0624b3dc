//go:build linux

package lab

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
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

// lacks says what is missing here for a "needs" line, "" if nothing is.
func (h *house) lacks(name string) string {
	var try *exec.Cmd
	switch name {
	case "go":
		return ""
	case "userns": // Ubuntu's AppArmor lets ordinary users have no capabilities in one
		name = "user namespaces for ordinary users (sysctl kernel.apparmor_restrict_unprivileged_userns=0)"
		try = exec.Command("setpriv", "--reuid=65534", "--clear-groups", "unshare", "-Ur", "true")
	case "landlock":
		name = "Landlock with rules for TCP (Linux 6.7)"
		try = exec.Command(filepath.Join(h.bin, "landlocked"), "true")
	default:
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
