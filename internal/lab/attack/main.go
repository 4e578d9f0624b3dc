//go:build linux

// Attack makes random processes, audits each, and then has the process itself try what
// an attacker would: attack N SEED. It prints the counts, and fails if a process could do
// something though its audit was clean.
//
// It changes files of root, so it runs as root in mount, PID, IPC and UTS namespaces of
// its own, where internal/lab starts it. There /etc, /root, /usr/local and /mnt are
// folders in memory.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/internal/audit"
)

func main() {
	log.SetFlags(0)
	if len(os.Args) == 2 && os.Args[1] == "child" {
		child()
		return
	}
	if len(os.Args) == 2 && os.Args[1] == "wait" {
		unix.Pause()
		return
	}
	if len(os.Args) != 3 {
		log.Fatal("usage: attack N SEED")
	}
	n, errN := strconv.Atoi(os.Args[1])
	seed, errSeed := strconv.ParseUint(os.Args[2], 10, 64)
	if errN != nil || errSeed != nil {
		log.Fatal("usage: attack N SEED")
	}
	if err := arena(); err != nil {
		log.Fatal(err)
	}
	if err := run(n, seed); err != nil {
		log.Fatal(err)
	}
}

// run makes n processes.
func run(n int, seed uint64) error {
	victim := exec.Command("/mnt/attack", "wait")
	if err := victim.Start(); err != nil {
		return err
	}
	defer victim.Wait()
	defer victim.Process.Kill()
	could, clean, missed := 0, 0, 0
	for i := range n {
		draw := drawn(rand.New(rand.NewPCG(seed, uint64(i))))
		draw.Victim = victim.Process.Pid
		found, did, err := one(draw)
		if err != nil {
			return fmt.Errorf("draw %d of seed %d, %+v: %w", i, seed, draw, err)
		}
		worst := audit.Worst(found)
		isClean := worst == audit.Note || worst == audit.None
		if len(did) > 0 {
			could++
		}
		if isClean {
			clean++
		}
		if isClean && len(did) > 0 {
			missed++
			fmt.Printf("draw %d of seed %d: clean, but could %s: %+v\n", i, seed, strings.Join(did, ", "), draw)
		}
	}
	fmt.Printf("processes %d, that could do something %d, clean %d, clean that could %d\n", n, could, clean, missed)
	if missed > 0 {
		return fmt.Errorf("%d were clean and could", missed)
	}
	return nil
}

// one makes a process, audits it and lets it attack.
func one(d Draw) (found []audit.Finding, did []string, err error) {
	if err := reset(); err != nil {
		return nil, nil, err
	}
	if err := d.open(); err != nil {
		return nil, nil, err
	}
	cmd, err := d.command()
	if err != nil {
		return nil, nil, err
	}
	if d.Terminal != "" {
		end, err := d.terminal(cmd)
		if err != nil {
			return nil, nil, err
		}
		defer end()
	}
	var out, say bytes.Buffer
	cmd.Stderr = &say
	ready, err := cmd.StdoutPipe()
	if err != nil {
		return nil, nil, err
	}
	start, err := cmd.StdinPipe()
	if err != nil {
		return nil, nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, nil, err
	}
	for _, f := range cmd.ExtraFiles {
		f.Close()
	}
	defer func() {
		start.Close()
		if e := cmd.Wait(); err == nil && e != nil {
			err = fmt.Errorf("%w: %s", e, say.String())
		}
	}()
	text, err := json.Marshal(d)
	if err != nil {
		return nil, nil, err
	}
	fmt.Fprintf(start, "%s\n", text)
	var line [6]byte
	if _, err := ready.Read(line[:]); err != nil {
		return nil, nil, fmt.Errorf("it is not ready: %w: %s", err, say.String())
	}
	p, err := audit.Read(cmd.Process.Pid)
	if err != nil {
		return nil, nil, err
	}
	fmt.Fprintln(start, "attack")
	if _, err := out.ReadFrom(ready); err != nil {
		return nil, nil, err
	}
	if err := json.Unmarshal(out.Bytes(), &did); err != nil {
		return nil, nil, fmt.Errorf("%w: %s", err, out.String())
	}
	if stamped() {
		did = append(did, "stamp a file")
	}
	return audit.Findings(p), did, nil
}

// stamped reports whether the file of the process has capabilities that count here.
func stamped() bool {
	f, err := caps.ReadFile(ownFile)
	return err == nil && f.Permitted != 0 && f.RootID == 0
}

// command starts the process with what was drawn.
func (d Draw) command() (*exec.Cmd, error) {
	cmd := exec.Command("/mnt/attack", "child")
	cmd.Env = []string{"GODEBUG="}
	attr := &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: d.UID, Gid: d.GID, Groups: d.Groups}}
	for c := range d.Ambient.All() {
		attr.AmbientCaps = append(attr.AmbientCaps, uintptr(c))
	}
	if d.UserNS {
		attr.Cloneflags = unix.CLONE_NEWUSER
		attr.UidMappings, attr.GidMappings, attr.GidMappingsEnableSetgroups = ids(d.UIDMap), ids(d.GIDMap), true
	}
	cmd.SysProcAttr = attr
	if d.Open != "" {
		f, err := os.OpenFile(d.Open, d.How|unix.O_NONBLOCK, 0)
		if err != nil {
			return nil, err
		}
		cmd.ExtraFiles = []*os.File{f}
	}
	return cmd, nil
}

// terminal gives the process its part of a terminal where a process of root reads until end.
func (d Draw) terminal(cmd *exec.Cmd) (end func(), err error) {
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		return nil, err
	}
	// It stays open until end: without it there is no terminal.
	if err := unix.IoctlSetPointerInt(int(master.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		return nil, err
	}
	n, err := unix.IoctlGetUint32(int(master.Fd()), unix.TIOCGPTN)
	if err != nil {
		return nil, err
	}
	slave, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		return nil, err
	}
	reader := exec.Command("/mnt/attack", "wait")
	reader.Stdin = slave
	reader.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: d.Terminal == "slave"}
	if err := reader.Start(); err != nil {
		return nil, err
	}
	cmd.SysProcAttr.Setsid = true
	switch d.Terminal {
	case "controlling":
		cmd.SysProcAttr.Setctty, cmd.SysProcAttr.Ctty = true, 3
		cmd.ExtraFiles = []*os.File{slave}
	case "slave":
		cmd.ExtraFiles = []*os.File{slave}
	case "master":
		slave.Close()
		other, err := unix.Dup(int(master.Fd()))
		if err != nil {
			return nil, err
		}
		cmd.ExtraFiles = []*os.File{os.NewFile(uintptr(other), "ptmx")}
	}
	return func() {
		master.Close()
		reader.Process.Kill()
		reader.Wait()
	}, nil
}

func ids(m caps.IDMap) (all []syscall.SysProcIDMap) {
	for _, r := range m {
		all = append(all, syscall.SysProcIDMap{ContainerID: int(r.Inside), HostID: int(r.Outside), Size: int(r.Count)})
	}
	return all
}
