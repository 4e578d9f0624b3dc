//go:build linux

package lab

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestPretence starts a program in the pid and uts namespaces of this machine,
// which no sandbox has, with variables that pretend to be of a container: they
// prove nothing there, and no fix of a container may be printed. Only the
// network namespace is another, for its port: it has no name, and nothing outside it
// changes what may be bound in it.
func TestPretence(t *testing.T) {
	h := build(t)
	for name, want := range map[string]string{"pid": "pid:[4026531836]", "uts": "uts:[4026531838]"} {
		if have, err := os.Readlink("/proc/self/ns/" + name); have != want {
			t.Skipf("this machine is a container: %s, not %s (%v)", have, want, err)
		}
	}
	exe := filepath.Join(shown(t, h), "doctor")
	for _, variables := range [][]string{
		nil,
		{"KUBERNETES_SERVICE_HOST=10.0.0.1", "KUBERNETES_PORT=tcp://10.0.0.1:443"},
		{"container=podman"},
		{"container=docker", "INVOCATION_ID=0123456789abcdef0123456789abcdef"},
	} {
		t.Run(strings.Join(variables, " "), func(t *testing.T) {
			cmd := exec.Command("unshare", "-n", "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", exe, "-json", ":443")
			cmd.Env = append(environment(), variables...)
			cmd.Dir = "/"
			out, err := cmd.Output()
			if cmd.ProcessState.ExitCode() != 77 {
				t.Fatalf("%v\n%s", err, out)
			}
			r, err := decodeReport(string(out))
			if err != nil {
				t.Fatal(err)
			}
			if got := r.causeIDs(); !slices.Equal(got, []string{"no-capability"}) || r.Causes[0].Certainty != "proven" {
				t.Errorf("causes %q\n%s", got, out)
			}
			if got := r.fixIDs(); !slices.Equal(got, []string{"setcap"}) {
				t.Errorf("fixes %q\n%s", got, out)
			}
		})
	}
}

// shown copies the programs to where an ordinary user may start them.
func shown(t *testing.T, h *house) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "lowport-lab-")
	if err == nil {
		t.Cleanup(func() { os.RemoveAll(dir) })
		err = os.Chmod(dir, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
	copyProgram(t, filepath.Join(h.bin, "doctor"), filepath.Join(dir, "doctor"))
	return dir
}
