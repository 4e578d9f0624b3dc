package caps

import (
	"errors"
	"iter"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/lowport/lowport/internal/task"
	"golang.org/x/sys/unix"
)

// A folder is one directory of a scan. A worker fills it, then sets done.
type folder struct {
	path  string     // below the root, "" for the root itself
	above filesystem // of the folder above
	items []scanItem // in the order of the directory
	done  bool       // under scanner.mu
}

// A scanItem is a folder, or else something to yield.
type scanItem struct {
	folder *folder
	found  Found
	err    error
}

type scanner struct {
	root   string
	fd     int
	at     bool // getxattrat(2) works
	mu     sync.Mutex
	wake   sync.Cond // workers: there are folders to read, or it has ended
	ready  sync.Cond // yield: folders are done
	stack  []*folder // to be read, the next one last
	unread int       // folders on the stack or with a worker
	quiet  int       // folders done since ready was last signaled
	ended  bool
}

func scan(root string) iter.Seq2[Found, error] {
	return func(yield func(Found, error) bool) {
		fd, err := task.IgnoreEINTR(func() (int, error) {
			return unix.Open(root, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
		})
		if err != nil {
			scanFile(root, err, yield)
			return
		}
		defer unix.Close(fd)
		s := &scanner{root: strings.TrimRight(root, "/") + "/", fd: fd, at: haveGetxattrat(fd)}
		s.wake.L, s.ready.L = &s.mu, &s.mu
		top := &folder{above: filesystem{dev: ^uint64(0)}}
		s.stack, s.unread = []*folder{top}, 1

		var workers sync.WaitGroup
		for range runtime.GOMAXPROCS(0) {
			workers.Go(s.work)
		}
		defer workers.Wait()
		defer s.end()
		s.yield(top, yield)
	}
}

// scanFile yields a root that is no folder; err is what opening it as one said.
func scanFile(root string, err error, yield func(Found, error) bool) {
	if info, e := os.Lstat(root); err == unix.ENOTDIR && e == nil && info.Mode()&os.ModeSymlink != 0 {
		err = unix.ELOOP // one that is not followed
	}
	if err != unix.ENOTDIR {
		yield(Found{Path: root}, &os.PathError{Op: "open", Path: root, Err: err})
		return
	}
	var buf [64]byte
	n, err := unix.Lgetxattr(root, attrName, buf[:])
	if f, err := decodeAttr(root, buf[:], n, err); !errors.Is(err, ErrNoCaps) && !errors.Is(err, unix.EOPNOTSUPP) {
		yield(Found{root, f}, err)
	}
}

// yield passes on what the folder and those in it hold, in order.
func (s *scanner) yield(f *folder, yield func(Found, error) bool) bool {
	s.mu.Lock()
	for !f.done {
		s.ready.Wait()
	}
	s.mu.Unlock()
	for _, item := range f.items {
		if item.folder != nil {
			if !s.yield(item.folder, yield) {
				return false
			}
		} else if !yield(item.found, item.err) {
			return false
		}
	}
	f.items = nil
	return true
}

func (s *scanner) end() {
	s.mu.Lock()
	s.ended = true
	s.mu.Unlock()
	s.wake.Broadcast()
}

// work reads folders until there are no more.
func (s *scanner) work() {
	r := reader{scanner: s, buf: make([]byte, 64<<10)}
	for {
		s.mu.Lock()
		for len(s.stack) == 0 && s.unread > 0 && !s.ended {
			s.wake.Wait()
		}
		if len(s.stack) == 0 || s.ended {
			s.mu.Unlock()
			return
		}
		last := len(s.stack) - 1
		f := s.stack[last]
		s.stack = s.stack[:last]
		s.mu.Unlock()

		r.read(f)

		s.mu.Lock()
		f.done = true
		s.unread--
		s.quiet++
		for _, item := range slices.Backward(f.items) {
			if item.folder != nil {
				s.stack = append(s.stack, item.folder)
				s.unread++
			} else {
				s.quiet = rouse
			}
		}
		if len(s.stack) > 1 || s.unread == 0 { // more than this worker takes next
			s.wake.Broadcast()
		}
		// Waking yield for every folder would cost as much as reading it.
		if s.quiet >= rouse || s.unread == 0 {
			s.quiet = 0
			s.ready.Signal()
		}
		s.mu.Unlock()
	}
}

// rouse is how many folders with nothing to yield are done before yield is woken.
const rouse = 100
