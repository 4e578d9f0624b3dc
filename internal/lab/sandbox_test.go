//go:build linux

package lab

import (
	"bufio"
	"bytes"
	"context"
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

// patience bounds every single command: it ends what hangs, and asserts nothing
// about speed.
const patience = 10 * time.Minute

// A house is what all sandboxes of one test are made from.
type house struct {
	base string   // the files laid over /
	bin  string   // the programs shown at /lab
	goes []string // LAB_… for a scenario that needs Go
}

// A kind is what PID 1 of a sandbox is.
type kind string

const (
	plain   kind = "plain"   // something that sleeps
	systemd kind = "systemd" // the real one
)

// A sandbox is a fresh copy of this machine in namespaces of its own.
type sandbox struct {
	init   *exec.Cmd     // its PID 1
	ended  chan struct{} // closed when PID 1 and with it everything has ended
	log    *bytes.Buffer // what PID 1 printed; read only after ended
	cgroup string
	user   *os.File // the cgroup that commands join
}

// open makes a sandbox that shows the scenario's files at /scenario.
func (h *house) open(k kind, scenario string, needsGo bool) (_ *sandbox, err error) {
	s := &sandbox{ended: make(chan struct{}), log: new(bytes.Buffer)}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.close())
		}
	}()
	if s.cgroup, err = box.NewCgroup(); err != nil {
		return nil, err
	}
	if s.user, err = os.Open(filepath.Join(s.cgroup, "user.slice")); err != nil {
		return nil, err
	}
	top, err := os.Open(s.cgroup)
	if err != nil {
		return nil, err
	}
	defer top.Close()
	ready, tell, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer ready.Close()

	boot, err := filepath.Abs("testdata/sandbox/boot.sh")
	if err != nil {
		return nil, err
	}
	cmd := exec.Command("sh", boot, string(k))
	cmd.Env = append(environment(), "LAB_BASE="+h.base, "LAB_BIN="+h.bin, "LAB_SCENARIO="+scenario)
	if needsGo {
		cmd.Env = append(cmd.Env, h.goes...)
	}
	cmd.Stdout, cmd.Stderr = s.log, s.log
	cmd.ExtraFiles = []*os.File{tell}
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWPID | syscall.CLONE_NEWNS | syscall.CLONE_NEWUTS |
			syscall.CLONE_NEWIPC | syscall.CLONE_NEWNET,
		UseCgroupFD: true,
		CgroupFD:    int(top.Fd()),
		Pdeathsig:   syscall.SIGKILL,
	}
	err = cmd.Start()
	tell.Close()
	if err != nil {
		return nil, fmt.Errorf("sandbox: %w", err)
	}
	s.init = cmd
	go func() {
		_ = cmd.Wait() // it is killed; how it ended says nothing
		close(s.ended)
	}()
	// Either PID 1 says that it is ready, or it ends and the pipe with it.
	// Before that nothing may enter: it would see this machine.
	if line, _ := bufio.NewReader(ready).ReadString('\n'); line != "ready\n" {
		return nil, errors.New("sandbox: its PID 1 did not come up")
	}
	if k == systemd {
		if err := s.awaitSystemd(); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// awaitSystemd waits for the boot to end.
func (s *sandbox) awaitSystemd() error {
	var last result
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		select {
		case <-s.ended:
			return errors.New("sandbox: systemd ended")
		default:
		}
		// Degraded is good enough: some unit of this machine does not like it here.
		last = s.run(command{argv: []string{"systemctl", "is-system-running"}})
		switch strings.TrimSpace(last.stdout) {
		case "running", "degraded":
			return nil
		}
	}
	return fmt.Errorf("sandbox: systemd did not come up: %s%s", last.stdout, last.stderr)
}

// close ends everything in the sandbox and takes its cgroup away. What PID 1
// printed is in the error only if something went wrong.
func (s *sandbox) close() error {
	var err error
	if s.user != nil {
		s.user.Close()
	}
	if s.init != nil {
		_ = s.init.Process.Kill() // an error means it has ended already
		<-s.ended
		if s.log.Len() > 0 {
			err = fmt.Errorf("sandbox printed:\n%s", s.log)
		}
	}
	if s.cgroup != "" {
		err = errors.Join(err, box.RemoveCgroup(s.cgroup))
	}
	return err
}

// A command is run in a sandbox.
type command struct {
	argv  []string
	user  string // root if empty
	dir   string // / if empty
	stdin string
	env   []string // beyond environment()
}

// A result is how a command ended.
type result struct {
	code           int // exit status, or -1
	stdout, stderr string
	err            error // it could not be run, was killed or took too long
}

func (r result) String() string {
	var b strings.Builder
	if r.err != nil {
		fmt.Fprintf(&b, "%v\n", r.err)
	} else {
		fmt.Fprintf(&b, "exit status %d\n", r.code)
	}
	for _, stream := range []struct{ name, text string }{{"stdout", r.stdout}, {"stderr", r.stderr}} {
		if stream.text != "" {
			fmt.Fprintf(&b, "[%s]\n%s\n", stream.name, strings.TrimSuffix(stream.text, "\n"))
		}
	}
	return b.String()
}

// run runs a command in the sandbox and waits for it. Its parent is a shell in
// there, as it would be for an operator.
func (s *sandbox) run(c command) result {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	args := []string{"-t", strconv.Itoa(s.init.Process.Pid), "-m", "-u", "-i", "-n", "-p", "-C", "-r", "-w", "--"}
	if id, ok := box.UserIDs[c.user]; ok {
		args = append(args, "setpriv", "--reuid="+c.user, "--regid="+c.user, "--init-groups", "--",
			"env", "HOME=/home/"+c.user, "USER="+c.user, "LOGNAME="+c.user, fmt.Sprint("XDG_RUNTIME_DIR=/run/user/", id))
	}
	dir := c.dir
	if dir == "" {
		dir = "/"
	}
	args = append(args, "sh", "-c", `cd -- "$0" && "$@"; exit $?`, dir)
	args = append(args, c.argv...)
	cmd := exec.CommandContext(ctx, "nsenter", args...)
	cmd.Env = append(environment(), c.env...)
	cmd.Stdin = strings.NewReader(c.stdin)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	cmd.SysProcAttr = &syscall.SysProcAttr{
		UseCgroupFD: true,
		CgroupFD:    int(s.user.Fd()),
		Pdeathsig:   syscall.SIGKILL,
	}
	// A program left running in the background may hold the pipes open; it
	// ends with the sandbox.
	cmd.WaitDelay = 20 * time.Second
	err := cmd.Run()
	r := result{code: -1, stdout: out.String(), stderr: errs.String()}
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil:
		r.err = fmt.Errorf("%q took longer than %v", c.argv, patience)
	case err == nil, errors.As(err, &exit) && exit.Exited():
		r.code = cmd.ProcessState.ExitCode()
	default:
		r.err = fmt.Errorf("%q: %w", c.argv, err)
	}
	return r
}

// write puts a file into the sandbox.
func (s *sandbox) write(path, content string) error {
	r := s.run(command{argv: []string{"install", "-D", "-m", "644", "/dev/stdin", path}, stdin: content})
	if r.err != nil || r.code != 0 {
		return fmt.Errorf("write %s: %s", path, r)
	}
	return nil
}

// environment is what every program in the lab gets, and nothing else.
func environment() []string {
	return []string{
		"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
		"LANG=C.UTF-8",
		"HOME=/root",
	}
}
