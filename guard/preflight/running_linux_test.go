package preflight

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/lowport/lowport/guard/report"
	"github.com/lowport/lowport/privport"
)

// An ordinary program that was given nothing is told so from outside, and what it listens
// on already is allowed.
func TestRunning(t *testing.T) {
	start, err := privport.Start()
	if err != nil || start < 2 {
		t.Skip("no port is privileged here: ", start, err)
	}
	cat := exec.Command("cat") // waits for its input, which never comes
	in, err := cat.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	if os.Geteuid() == 0 {
		cat.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	}
	if err := cat.Start(); err != nil {
		t.Fatal(err)
	}
	defer cat.Wait()
	defer cat.Process.Kill()
	r, err := Running(cat.Process.Pid, AsBuilt, "udp4/127.0.0.1:1")
	var refused *report.Error
	if !errors.As(err, &refused) || r.Errno != "EACCES" || r.Causes[0].ID != "no-capability" && r.Causes[0].ID != "bounding-excludes" && r.Causes[0].ID != "no-new-privs" {
		t.Errorf("%v\n%v", err, r)
	}
	if text := r.String(); !strings.Contains(text, fmt.Sprintf("/proc/%d/status", cat.Process.Pid)) || strings.Contains(text, "/proc/self") {
		t.Errorf("the evidence is said to be of this process:\n%s", text)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	if r, err := Running(os.Getpid(), AsBuilt, ln.Addr().String()); err != nil || !r.OK {
		t.Errorf("a port that this process has: %v", err)
	}
	if r, err := Running(cat.Process.Pid, AsBuilt, ln.Addr().String()); err == nil || r.Causes[0].ID != "address-in-use" {
		t.Errorf("a port that another process has: %v", err)
	}
}
