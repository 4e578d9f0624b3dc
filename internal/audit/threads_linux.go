package audit

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/lowport/lowport/caps"
)

// tries is how often a process is read that executes programs meanwhile.
const tries = 5

// noting keeps what is read by it, so that one text says all of a thread.
type noting struct {
	files
	texts  map[int][]byte
	passes *int
}

// passes is how often a folder of threads is listed that changes meanwhile: a
// hostile process could keep a reader busy for ever.
const passes = 100

func (n noting) ReadDir(name string) ([]fs.DirEntry, error) {
	if *n.passes++; *n.passes > passes {
		return nil, errors.New("threads come and go faster than they can be read")
	}
	return os.ReadDir(n.path(strings.TrimPrefix(name, strconv.Itoa(n.pid)+"/")))
}

func (n noting) ReadFile(name string) ([]byte, error) {
	b, err := n.read(strings.TrimPrefix(name, strconv.Itoa(n.pid)+"/"))
	if tid, e := strconv.Atoi(path.Base(path.Dir(name))); e == nil && err == nil {
		n.texts[tid] = b
	}
	return b, err
}

// threads reads every thread. Where they differ it reads again: the process may be
// about to change all of them.
func (f files) threads() (map[int]Thread, error) {
	var all map[int]Thread
	for range tries {
		before := all
		var err error
		if all, err = f.threadsOnce(); err != nil {
			return nil, err
		}
		if equal(all) || maps.Equal(all, before) {
			break
		}
	}
	return all, nil
}

// equal reports whether all threads are alike.
func equal(all map[int]Thread) bool {
	different := map[Thread]bool{}
	for _, t := range all {
		different[t] = true
	}
	return len(different) == 1
}

func (f files) threadsOnce() (map[int]Thread, error) {
	n := noting{f, map[int][]byte{}, new(int)}
	states, err := caps.ReadThreads(n, f.pid)
	if err != nil {
		return nil, err
	}
	all := map[int]Thread{}
	for tid := range states {
		if all[tid], err = ParseThread(n.texts[tid]); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// userNS asks where the namespace lies: its parent is shown to those alone that
// live above it (ns_get_owner).
func (f files) userNS() (UserNS, error) {
	fd, err := unix.Open(f.path("ns/user"), unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return UserNS{}, err
	}
	defer unix.Close(fd)
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return UserNS{}, err
	}
	ns := UserNS{Name: fmt.Sprintf("user:[%d]", st.Ino)}
	parent, err := unix.IoctlRetInt(fd, unix.NS_GET_PARENT)
	switch {
	case err == unix.EPERM: // ours, or one above ours
		return ns, nil
	case err != nil:
		return UserNS{}, err
	}
	unix.Close(parent)
	ns.Below = true
	return ns, nil
}
