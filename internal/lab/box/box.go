//go:build linux

// Package box makes fresh copies of this machine in namespaces of their own: the
// places in which the lab tries things. A [Box] is made in milliseconds and holds
// nothing but what its maker puts there.
//
// The program of its process 1 is ./first.
package box

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// A Maker is what boxes are made from.
type Maker struct {
	Base string // the files laid over /, by [WriteBase]
	Bin  string // the programs shown at /lab, with "first" among them
}

// A Box is a copy of this machine: a file system whose changes are kept in memory, processes
// of its own, and a network that is loopback alone. The folder of [Said] is empty.
type Box struct {
	first  *exec.Cmd
	server *exec.Cmd // what runs commands where process 1 is systemd
	ask    *json.Encoder
	answer *json.Decoder
	pipes  []*os.File
	cgroup string
}

// Said is the folder of a box in which anybody may leave files for the answers.
const Said = "/run/said"

// Explain is the file of a box that has its programs explain a refusal, if it is there. Where it
// is not, that they were refused is all that is asked.
const Explain = "/run/explain"

// A Command is what process 1 of a box is asked to run. Its standard input is Stdin.
type Command struct {
	Argv  []string      `json:"argv"`
	UID   int           `json:"uid"` // and the group of the same number
	Env   []string      `json:"env"` // beyond PATH, LANG and HOME
	Stdin string        `json:"stdin"`
	Limit time.Duration `json:"limit"` // after which it is killed
}

// A Result is how a command ended.
type Result struct {
	Code   int               `json:"code"`   // the exit status, -1 if it was killed
	Output string            `json:"output"` // standard output and standard error
	Said   map[string]string `json:"said"`   // the files it left in [Said], which are removed
	Error  string            `json:"error"`  // why it could not be run
}

// Environment is what every program in a box gets.
func Environment() []string {
	return []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8"}
}

// Open makes a box.
func (m Maker) Open() (*Box, error) { return m.make("box") }

// Boot makes a box whose process 1 is systemd, and waits until it is up.
func (m Maker) Boot() (*Box, error) {
	b, err := m.make("boot")
	if err != nil {
		return nil, err
	}
	for range 3000 {
		r, err := b.Run(Command{Argv: []string{"systemctl", "is-system-running"}})
		switch strings.TrimSpace(r.Output) {
		case "running", "degraded": // some unit of this machine does not like it here
			return b, nil
		}
		if err != nil {
			return nil, errors.Join(err, b.Close())
		}
		time.Sleep(20 * time.Millisecond)
	}
	return nil, errors.Join(errors.New("box: systemd did not come up"), b.Close())
}

func (m Maker) make(mode string) (_ *Box, err error) {
	b := new(Box)
	defer func() {
		if err != nil {
			err = errors.Join(err, b.Close())
		}
	}()
	if b.cgroup, err = NewCgroup(); err != nil {
		return nil, err
	}
	top, err := os.Open(b.cgroup)
	if err != nil {
		return nil, err
	}
	defer top.Close()
	theirAsk, ask, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer theirAsk.Close()
	answer, theirAnswer, err := os.Pipe()
	if err != nil {
		ask.Close()
		return nil, err
	}
	defer theirAnswer.Close()
	b.pipes = []*os.File{ask, answer}
	b.ask, b.answer = json.NewEncoder(ask), json.NewDecoder(answer)

	b.first = command(filepath.Join(m.Bin, "first"), mode, m.Base, m.Bin)
	b.first.SysProcAttr.Cloneflags = syscall.CLONE_NEWPID | syscall.CLONE_NEWNS | syscall.CLONE_NEWUTS |
		syscall.CLONE_NEWIPC | syscall.CLONE_NEWNET
	b.first.SysProcAttr.UseCgroupFD, b.first.SysProcAttr.CgroupFD = true, int(top.Fd())
	if mode == "box" {
		b.first.ExtraFiles = []*os.File{theirAsk, theirAnswer}
	}
	if err := b.first.Start(); err != nil {
		b.first = nil
		return nil, fmt.Errorf("box: %w", err)
	}
	if mode == "boot" {
		server, err := b.enter()
		if err != nil {
			return nil, err
		}
		server.ExtraFiles = []*os.File{theirAsk, theirAnswer}
		if err := server.Start(); err != nil {
			return nil, fmt.Errorf("box: %w", err)
		}
		b.server = server
	}
	theirAnswer.Close()
	var ready Result
	if err := b.answer.Decode(&ready); err != nil {
		return nil, fmt.Errorf("box: nothing answers in it: %w", err)
	}
	return b, nil
}

func command(argv ...string) *exec.Cmd {
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Env = Environment()
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	return cmd
}

// enter returns what serves in a box once its process 1 is systemd: before that whoever enters
// would see this machine.
func (b *Box) enter() (*exec.Cmd, error) {
	pid := b.first.Process.Pid
	for range 3000 {
		name, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid))
		if err != nil {
			return nil, err
		}
		if string(name) == "systemd\n" {
			return command("nsenter", "-t", fmt.Sprint(pid), "-m", "-u", "-i", "-n", "-p", "-C", "-r", "-w", "--", "/lab/first", "serve"), nil
		}
		time.Sleep(10 * time.Millisecond)
	}
	return nil, errors.New("box: its process 1 did not become systemd")
}

// Run runs a command in the box and waits for it.
func (b *Box) Run(c Command) (Result, error) {
	var r Result
	if c.Limit == 0 {
		c.Limit = 30 * time.Second
	}
	err := b.ask.Encode(c)
	if err == nil {
		err = b.answer.Decode(&r)
	}
	if err != nil {
		return r, fmt.Errorf("box: %w", err)
	}
	if r.Error != "" {
		return r, fmt.Errorf("box: %s: %s", strings.Join(c.Argv, " "), r.Error)
	}
	return r, nil
}

// Close ends everything in the box.
func (b *Box) Close() error {
	for _, f := range b.pipes {
		f.Close()
	}
	if b.first != nil {
		_ = b.first.Process.Kill() // an error means that it has ended
		_ = b.first.Wait()         // it was killed
	}
	if b.server != nil {
		_ = b.server.Wait() // it was in the box
	}
	if b.cgroup == "" {
		return nil
	}
	return RemoveCgroup(b.cgroup)
}
