//go:build linux

package lab

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
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

// userNamespaces reports whether an ordinary user may make one; Ubuntu's
// AppArmor does not let them have capabilities in it.
func userNamespaces() bool {
	return exec.Command("setpriv", "--reuid=65534", "--clear-groups", "unshare", "-Ur", "true").Run() == nil
}

// landlock reports whether this kernel can forbid TCP ports.
func (h *house) landlock() bool {
	return exec.Command(filepath.Join(h.bin, "landlocked"), "true").Run() == nil
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
