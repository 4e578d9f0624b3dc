package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"syscall"

	"github.com/lowport/lowport/privport"
)

// readyFD names the variable with the descriptor on which a new server tells
// the old one that it serves.
const readyFD = "SERVER_READY_FD"

// program is the file that was started: at the time of an upgrade another may
// lie there.
var program, errProgram = os.Executable()

// onHangup calls f at every SIGHUP, until it reports that the next one has taken
// over: from then on a SIGHUP must not start another, beside that one.
func onHangup(f func() bool) {
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP)
	go func() {
		for range hangup {
			if f() {
				return
			}
		}
	}()
}

// startNext starts the program anew with the listener, and returns when it
// serves: so long both do, and no connection is refused. It needs no privilege. Of a
// service systemd has to be told which process is the main one from now on, or it
// ends the new one with the old.
func startNext(ln net.Listener) (err error) {
	if errProgram != nil {
		return errProgram
	}
	if os.Getenv("SYSTEMD_EXEC_PID") == strconv.Itoa(os.Getpid()) && os.Getenv("NOTIFY_SOCKET") == "" {
		return errors.New("the service would end with this process: it takes Type=notify")
	}
	if err := notify("RELOADING=1"); err != nil {
		return err
	}
	defer func() {
		if err != nil { // this one goes on
			err = errors.Join(err, notify("READY=1"))
		}
	}()
	ready, tell, err := os.Pipe()
	if err != nil {
		return err
	}
	defer ready.Close()
	defer tell.Close()
	cmd := exec.Command(program, os.Args[1:]...)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	done, err := privport.HandOver(cmd, ln)
	if err != nil {
		return err
	}
	cmd.ExtraFiles = append(cmd.ExtraFiles, tell)
	cmd.Env = append(cmd.Env, readyFD+"="+strconv.Itoa(2+len(cmd.ExtraFiles)))
	err = cmd.Start()
	done()
	tell.Close() // the new server alone has it, so that its end can be seen
	if err != nil {
		return err
	}
	if _, err := io.ReadFull(ready, make([]byte, 1)); err != nil {
		return errors.Join(fmt.Errorf("the new server ended before it served"), cmd.Wait())
	}
	return notify(fmt.Sprintf("MAINPID=%d\nREADY=1", cmd.Process.Pid))
}

// tellReady tells the old server and systemd that this one serves.
func tellReady() error {
	if fd, err := strconv.Atoi(os.Getenv(readyFD)); err == nil {
		os.Unsetenv(readyFD)
		f := os.NewFile(uintptr(fd), "ready")
		f.Write([]byte{1})
		return f.Close()
	}
	return notify("READY=1")
}
