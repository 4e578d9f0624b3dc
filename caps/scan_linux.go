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

// A folder is one directory of a scan, or of a large one a part. A worker fills it, then
// sets done.
type folder struct {
	path  string     // below the root, "" for the root itself
	above filesystem // of the folder above
	fd    int        // of a part but the first, which goes on where another ends; else 0
	items []scanItem // in the order of the directory
	rest  *folder    // the next part, nil for none

	// Under scanner.mu.
	prev, next  *folder // in scanner.unread
	taken, done bool    // by a worker
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
	unread folder    // begins and ends a ring of those that are not done, in the order of yield
	free   int       // of the unread, those that no worker has taken
	parts  int       // of the unread, those that have a descriptor
	ahead  int       // folders done that yield has not come to
	quiet  int       // folders done since ready was last signaled
	ended  bool
}

// Bounds of what a scan holds at a time, whatever it walks through.
const (
	mostAhead = 4096 // folders that are read before yield has come to them
	mostParts = 64   // descriptors of folders that are read in parts
)

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
		s.unread.prev, s.unread.next = &s.unread, &s.unread
		s.insert(top, &s.unread)

		var workers sync.WaitGroup
		for range runtime.GOMAXPROCS(0) {
			workers.Go(s.work)
		}
		defer s.closeParts()
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

// yield passes on what the folder and those in it hold, in order, and lets go of it.
func (s *scanner) yield(f *folder, yield func(Found, error) bool) bool {
	for f != nil {
		s.await(f)
		items, rest := f.items, f.rest
		f.items, f.rest = nil, nil
		for i, item := range items {
			items[i] = scanItem{}
			if item.folder != nil {
				if !s.yield(item.folder, yield) {
					return false
				}
			} else if !yield(item.found, item.err) {
				return false
			}
		}
		f = rest
	}
	return true
}

// await waits until the folder is done.
func (s *scanner) await(f *folder) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for !f.done {
		s.ready.Wait()
	}
	if s.ahead--; s.ahead == mostAhead/2 {
		s.wake.Broadcast()
	}
}

// insert adds a folder to the unread ones, behind another.
func (s *scanner) insert(f, behind *folder) {
	f.prev, f.next = behind, behind.next
	f.prev.next, f.next.prev = f, f
	s.free++
	if f.fd > 0 {
		s.parts++
	}
}

// take returns the first folder that nobody has taken, which yield comes to next. Where
// yield is far behind it returns none but the very first: that is what yield waits for.
func (s *scanner) take() *folder {
	for f := s.unread.next; f != &s.unread; f = f.next {
		if f.taken {
			continue
		}
		if s.ahead >= mostAhead && f != s.unread.next {
			return nil
		}
		f.taken = true
		s.free--
		return f
	}
	return nil
}

// finish puts what is in a folder in its place among the unread ones.
func (s *scanner) finish(f *folder) {
	at := f
	for _, item := range f.items {
		if item.folder != nil {
			s.insert(item.folder, at)
			at = item.folder
		}
	}
	f.prev.next, f.next.prev = f.next, f.prev
	f.prev, f.next = nil, nil
	if f.fd > 0 {
		s.parts--
	}
	f.done = true
	s.ahead++
}

func (s *scanner) end() {
	s.mu.Lock()
	s.ended = true
	s.mu.Unlock()
	s.wake.Broadcast()
}

// add has another worker read the next part of a folder. It reports false where many are
// read in parts already, and none is to be added.
func (s *scanner) add(part, behind *folder) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.parts == mostParts {
		return false
	}
	s.insert(part, behind)
	s.wake.Signal()
	return true
}

// closeParts closes the descriptors of what nobody has read.
func (s *scanner) closeParts() {
	for f := s.unread.next; f != &s.unread; f = f.next {
		if f.fd > 0 {
			unix.Close(f.fd)
		}
	}
}

// work reads folders until there are no more.
func (s *scanner) work() {
	r := reader{scanner: s, buf: make([]byte, 64<<10)}
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		f := s.take()
		for f == nil && s.unread.next != &s.unread && !s.ended {
			s.ready.Signal() // it may be behind
			s.wake.Wait()
			f = s.take()
		}
		if f == nil || s.ended {
			return
		}
		s.mu.Unlock()
		r.read(f)
		s.mu.Lock()
		s.finish(f)
		last := s.unread.next == &s.unread
		if s.free > 1 || last { // more than this worker takes next
			s.wake.Broadcast()
		}
		// Waking yield for every folder would cost as much as reading it.
		if s.quiet++; s.quiet >= rouse || last || slices.ContainsFunc(f.items, scanItem.yields) {
			s.quiet = 0
			s.ready.Signal()
		}
	}
}

// yields reports whether the item is something to yield.
func (i scanItem) yields() bool { return i.folder == nil }

// rouse is how many folders with nothing to yield are done before yield is woken.
const rouse = 100
