package privport

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"syscall"
)

// HandOver has a command start with sockets of this process, which it finds by
// [Listen] and [ListenPacket] as if systemd had given them. So a new version of
// a program takes over from the old one without privilege, and while both have
// a socket no connection is refused.
//
// The command must not have been started and must have no ExtraFiles yet; more
// can be appended afterwards.
// The variables are those of sd_listen_fds(3), but for LISTEN_PID: nobody knows
// the pid beforehand, so LOWPORT_LISTEN_PPID says whose child it is, and the
// program has to use this package and to be started directly.
//
// The caller calls the function that is returned once the command was started,
// or has failed to: it closes the copies that were made for it.
func HandOver(cmd *exec.Cmd, sockets ...io.Closer) (done func(), err error) {
	if len(cmd.ExtraFiles) > 0 || cmd.Process != nil {
		return nil, errors.New("hand over: the command has files of its own, or was started")
	}
	done = func() {
		for _, f := range cmd.ExtraFiles {
			f.Close()
		}
		cmd.ExtraFiles = nil
	}
	for _, s := range sockets {
		f, err := passable(s)
		if err != nil {
			done()
			return nil, fmt.Errorf("hand over %T: %w", s, err)
		}
		cmd.ExtraFiles = append(cmd.ExtraFiles, f)
	}
	if cmd.Env == nil {
		cmd.Env = os.Environ()
	}
	cmd.Env = append(cmd.Env,
		envFDs+"="+strconv.Itoa(len(sockets)),
		envPPID+"="+strconv.Itoa(os.Getpid()),
		envPID+"=", envNames+"=", envPIDFD+"=") // of whoever started this process
	return done, nil
}

// passable is a copy of a socket's descriptor. Its File method would not do:
// what it returns makes the socket blocking for all who have it, once a command
// is started with it.
func passable(s io.Closer) (*os.File, error) {
	conn, ok := s.(syscall.Conn)
	if !ok {
		return nil, errors.ErrUnsupported
	}
	raw, err := conn.SyscallConn()
	if err != nil {
		return nil, err
	}
	var f *os.File
	if errRaw := raw.Control(func(fd uintptr) { f, err = duplicate(int(fd)) }); errRaw != nil {
		return nil, errRaw
	}
	return f, err
}
