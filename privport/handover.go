package privport

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"syscall"
)

// HandOver makes a command start with sockets of this process: its [Listen] and
// [ListenPacket] find them as if systemd had passed them. So a new version of a
// program takes over from the old one without privilege, and no connection is
// refused while both have a socket.
//
// The command must not have been started and must have no ExtraFiles yet; more
// can be appended afterwards. The variables are those of sd_listen_fds(3) except
// LISTEN_PID: the pid is not known beforehand, so LOWPORT_LISTEN_PPID names the
// parent instead, and the program has to use this package, be started directly,
// and find this process still running when it first listens.
//
// Call done once the command has started, or has failed to: it closes the copies
// that were made for the command, and no other of its files. If it has started, done
// also has the Close of a Unix listener leave the socket's file, at which the command is
// reached now: whoever ends the last one removes it. For a socket without a
// descriptor, such as one of TLS, the error wraps [errors.ErrUnsupported], and the
// command is as it was.
func HandOver(cmd *exec.Cmd, sockets ...io.Closer) (done func(), err error) {
	if len(cmd.ExtraFiles) > 0 || cmd.Process != nil {
		return nil, errors.New("hand over: the command has files of its own, or was started")
	}
	var copies []*os.File // and no file that the caller appends
	done = func() {
		for _, f := range copies {
			f.Close()
		}
		if cmd.Process != nil {
			leaveFiles(sockets)
		}
	}
	for _, s := range sockets {
		f, err := passable(s)
		if err != nil {
			done()
			return nil, fmt.Errorf("hand over %T: %w", s, err)
		}
		copies = append(copies, f)
	}
	cmd.ExtraFiles = slices.Clone(copies)
	if cmd.Env == nil {
		cmd.Env = os.Environ()
	}
	cmd.Env = append(slices.Clip(cmd.Env), // other commands may have the same array
		envFDs+"="+strconv.Itoa(len(sockets)),
		envPPID+"="+strconv.Itoa(os.Getpid()),
		envPID+"=", envNames+"=", envPIDFD+"=") // of whoever started this process
	return done, nil
}

// leaveFiles keeps Close from removing the files of Unix listeners.
func leaveFiles(sockets []io.Closer) {
	for _, s := range sockets {
		if l, ok := s.(interface{ SetUnlinkOnClose(bool) }); ok {
			l.SetUnlinkOnClose(false)
		}
	}
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
