//go:build linux

// Package box makes fresh copies of this machine in namespaces of their own: the
// places in which the lab tries things. A [Box] is made in milliseconds and holds
// nothing but what its maker puts there; systemd and containers do not run in it.
//
// The program of its process 1 is ./first.
package box

import (
	"bufio"
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
	ask    *json.Encoder
	answer *json.Decoder
	pipes  []*os.File
	cgroup string
}

// Said is the folder of a box in which anybody may leave files for the answers.
const Said = "/run/said"

// Record is the file of a box that tells its programs to record the machine, if it is there.
const Record = "/run/record"

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
func (m Maker) Open() (_ *Box, err error) {
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
	answers := bufio.NewReader(answer)
	b.ask, b.answer = json.NewEncoder(ask), json.NewDecoder(answers)

	b.first = exec.Command(filepath.Join(m.Bin, "first"), m.Base, m.Bin)
	b.first.Env = Environment()
	b.first.Stderr = os.Stderr
	b.first.ExtraFiles = []*os.File{theirAsk, theirAnswer}
	b.first.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWPID | syscall.CLONE_NEWNS | syscall.CLONE_NEWUTS |
			syscall.CLONE_NEWIPC | syscall.CLONE_NEWNET,
		UseCgroupFD: true,
		CgroupFD:    int(top.Fd()),
		Pdeathsig:   syscall.SIGKILL,
	}
	if err := b.first.Start(); err != nil {
		b.first = nil
		return nil, fmt.Errorf("box: %w", err)
	}
	theirAnswer.Close()
	var ready Result
	if err := b.answer.Decode(&ready); err != nil {
		return nil, fmt.Errorf("box: its process 1 did not come up: %w", err)
	}
	return b, nil
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
	if b.cgroup == "" {
		return nil
	}
	return RemoveCgroup(b.cgroup)
}
