package live

import (
	"errors"
	"os"
	"os/user"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// userOf looks up the effective uid, and the groups that its user has; nil says that these could
// not be looked up. That may ask a directory service over the network, so it gives up after a
// second.
func userOf() (name string, groups []uint32, err error) {
	if err := spare(); err != nil {
		return "", nil, err
	}
	type answer struct {
		user   *user.User
		groups []uint32
		err    error
	}
	found := make(chan answer, 1)
	go func() {
		u, err := user.LookupId(strconv.Itoa(os.Geteuid()))
		if err != nil {
			found <- answer{err: err}
			return
		}
		account, _ := accountOf(u)
		found <- answer{u, account.Groups, nil}
	}()
	select {
	case a := <-found:
		if a.err != nil {
			return "", nil, a.err
		}
		return a.user.Username, a.groups, nil
	case <-time.After(time.Second):
		return "", nil, errors.New("the user database did not answer in time")
	}
}

var errNoGroups = errors.New("the user database does not say the groups")

// spare returns an error if no descriptors are left: the Go runtime ends a process that has none
// for its first timer.
func spare() error {
	var pipe [2]int
	if err := unix.Pipe2(pipe[:], unix.O_CLOEXEC); err != nil {
		return err
	}
	return errors.Join(unix.Close(pipe[0]), unix.Close(pipe[1]))
}
