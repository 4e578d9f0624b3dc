package live

import (
	"os/exec"
	"syscall"
	"testing"

	"github.com/lowport/lowport/internal/needs"
)

// A child that was made with CLONE_FS shares the folders with the test, another one does not.
func TestSharesFolders(t *testing.T) {
	before, err := sharesFolders()
	if err != nil {
		needs.Lack(t, "kcmp(2): "+err.Error())
	}
	if string(before) == "true\n" {
		needs.Lack(t, "a test that was started without CLONE_FS")
	}
	for _, tt := range []struct {
		flags uintptr
		want  string
	}{{0, "false\n"}, {syscall.CLONE_FS, "true\n"}} {
		child := exec.Command("sleep", "100")
		child.SysProcAttr = &syscall.SysProcAttr{Cloneflags: tt.flags, Pdeathsig: syscall.SIGKILL}
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		got, err := sharesFolders()
		if killed := child.Process.Kill(); killed != nil {
			t.Error(killed)
		}
		_ = child.Wait() // it was killed
		if err != nil || string(got) != tt.want {
			t.Errorf("clone flags %#x: %q, %v; want %q", tt.flags, got, err, tt.want)
		}
	}
}

// Without a filter both calls are let through.
func TestCalls(t *testing.T) {
	if errno := Listen(); errno != "" {
		t.Errorf("listen: %s", errno)
	}
	if errno := Capset(); errno != "" {
		t.Errorf("capset: %s", errno)
	}
}
