//go:build linux

package units

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/lowport/lowport/internal/lab/box"
)

// A Machine is a copy of this one in namespaces of its own, whose process 1 is systemd.
type Machine struct {
	dir    string
	cgroup string
	user   *os.File
	init   *exec.Cmd
}

// programs are what a machine has in /lab.
var labPrograms = []string{"guest", "guarded", "plain"}

// Boot builds the programs of this module and boots a machine: a copy of the system whose
// root is that folder.
func Boot(root string) (_ *Machine, err error) {
	m := &Machine{}
	defer func() {
		if err != nil {
			err = errors.Join(err, m.Close())
		}
	}()
	if m.dir, err = os.MkdirTemp("", "units-"); err != nil {
		return nil, err
	}
	base, bin := filepath.Join(m.dir, "base"), filepath.Join(m.dir, "bin")
	if err := errors.Join(os.Chmod(m.dir, 0o755), os.Mkdir(base, 0o755), os.Mkdir(bin, 0o755), box.WriteBase(base)); err != nil {
		return nil, err
	}
	for _, name := range labPrograms {
		cmd := exec.Command("go", "build", "-ldflags=-s -w", "-o", filepath.Join(bin, name), "github.com/lowport/lowport/internal/lab/units/"+name)
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := cmd.CombinedOutput(); err != nil {
			return nil, fmt.Errorf("%v: %w\n%s", cmd, err, out)
		}
	}
	return m, m.boot(root, base, bin)
}

func (m *Machine) boot(root, base, bin string) (err error) {
	script, err := bootScript()
	if err != nil {
		return err
	}
	if m.cgroup, err = box.NewCgroup(); err != nil {
		return err
	}
	if m.user, err = os.Open(filepath.Join(m.cgroup, "user.slice")); err != nil {
		return err
	}
	top, err := os.Open(m.cgroup)
	if err != nil {
		return err
	}
	defer top.Close()
	ready, tell, err := os.Pipe()
	if err != nil {
		return err
	}
	defer ready.Close()
	var log bytes.Buffer
	cmd := exec.Command("sh", script, "systemd")
	cmd.Env = []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8", "LAB_ROOT=" + root, "LAB_BASE=" + base, "LAB_BIN=" + bin, "LAB_SCENARIO=" + bin}
	cmd.Stdout, cmd.Stderr = &log, &log
	cmd.ExtraFiles = []*os.File{tell}
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWPID | syscall.CLONE_NEWNS | syscall.CLONE_NEWUTS | syscall.CLONE_NEWIPC | syscall.CLONE_NEWNET,
		UseCgroupFD: true, CgroupFD: int(top.Fd()), Pdeathsig: syscall.SIGKILL,
	}
	err = cmd.Start()
	tell.Close()
	if err != nil {
		return err
	}
	m.init = cmd
	if line, _ := bufio.NewReader(ready).ReadString('\n'); line != "ready\n" {
		return fmt.Errorf("the machine did not come up: %s", log.String())
	}
	for range 600 {
		out, _ := m.Command("systemctl", "is-system-running").Output()
		switch strings.TrimSpace(string(out)) {
		case "running", "degraded":
			return nil
		}
		time.Sleep(100 * time.Millisecond)
	}
	return errors.New("systemd did not come up in a minute")
}

// bootScript is the script by which the lab boots its sandboxes.
func bootScript() (string, error) {
	out, err := exec.Command("go", "list", "-f", "{{.Dir}}", "github.com/lowport/lowport/internal/lab").Output()
	if err != nil {
		return "", fmt.Errorf("where the lab is: %w", err)
	}
	return filepath.Join(strings.TrimSpace(string(out)), "testdata/sandbox/boot.sh"), nil
}

// Command is one that runs in the machine, as root.
func (m *Machine) Command(argv ...string) *exec.Cmd {
	args := append([]string{"-t", strconv.Itoa(m.init.Process.Pid), "-m", "-u", "-i", "-n", "-p", "-C", "-r", "-w", "--"}, argv...)
	cmd := exec.Command("nsenter", args...)
	cmd.Env = []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8", "HOME=/root"}
	cmd.SysProcAttr = &syscall.SysProcAttr{UseCgroupFD: true, CgroupFD: int(m.user.Fd()), Pdeathsig: syscall.SIGKILL}
	return cmd
}

// Run draws n units, from the number first on, starts them in the machine, and passes each
// verdict on.
func (m *Machine) Run(seed uint64, first, n int, each func(Verdict)) (sums Sums, err error) {
	cmd := m.Command("/lab/guest", strconv.FormatUint(seed, 10), strconv.Itoa(first), strconv.Itoa(first+n))
	out, err := cmd.StdoutPipe()
	if err != nil {
		return sums, err
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		return sums, err
	}
	scan := bufio.NewScanner(out)
	scan.Buffer(nil, 1<<20)
	for scan.Scan() {
		var v Verdict
		if err := json.Unmarshal(scan.Bytes(), &v); err != nil {
			return sums, fmt.Errorf("%s: %w", scan.Bytes(), err)
		}
		sums.Add(v)
		each(v)
	}
	return sums, errors.Join(scan.Err(), cmd.Wait())
}

// Close ends everything in the machine, and removes what it was made of.
func (m *Machine) Close() error {
	var err error
	if m.init != nil {
		err = m.init.Process.Kill()
		_ = m.init.Wait() // it was killed
	}
	if m.user != nil {
		m.user.Close()
	}
	if m.cgroup != "" {
		err = errors.Join(err, box.RemoveCgroup(m.cgroup))
	}
	if m.dir != "" {
		err = errors.Join(err, os.RemoveAll(m.dir))
	}
	return err
}
