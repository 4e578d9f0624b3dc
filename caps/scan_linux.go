package caps

import (
	"encoding/binary"
	"errors"
	"iter"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A folder is one directory of a scan. A worker fills it, then sets done.
type folder struct {
	path  string     // below the root, "" for the root itself
	dev   uint64     // of the folder above
	attrs bool       // whether the filesystem of the folder above has attributes
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
		fd, err := ignoreEINTR(func() (int, error) {
			return unix.Open(root, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
		})
		if err != nil {
			scanFile(root, err, yield)
			return
		}
		defer unix.Close(fd)
		s := &scanner{root: strings.TrimRight(root, "/") + "/", fd: fd, at: haveGetxattrat(fd)}
		s.wake.L, s.ready.L = &s.mu, &s.mu
		top := &folder{dev: ^uint64(0)}
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

// A reader is what a worker reads folders with.
type reader struct {
	*scanner
	buf  []byte
	attr [64]byte
}

func (r *reader) read(f *folder) {
	fail := func(op string, err error) {
		path := r.root + f.path
		f.items = append(f.items, scanItem{found: Found{Path: path}, err: &os.PathError{Op: op, Path: path, Err: err}})
	}
	fd, err := r.open(f.path)
	if err == unix.ENOENT && f.path != "" {
		return // removed meanwhile
	}
	if err != nil {
		fail("open", err)
		return
	}
	defer unix.Close(fd)
	var stat unix.Stat_t
	if err := unix.Fstat(fd, &stat); err != nil {
		fail("stat", err)
		return
	}
	attrs := f.attrs
	if dev := uint64(stat.Dev); dev != f.dev {
		var fs unix.Statfs_t
		if err := unix.Fstatfs(fd, &fs); err != nil {
			fail("statfs", err)
			return
		}
		if isPseudo(int64(fs.Type)) {
			return
		}
		_, err := unix.Fgetxattr(fd, attrName, nil)
		f.dev, attrs = dev, err != unix.EOPNOTSUPP
	}
	for {
		n, err := ignoreEINTR(func() (int, error) { return unix.Getdents(fd, r.buf) })
		if err != nil && err != unix.ENOENT { // removed meanwhile
			fail("read", err)
		}
		if n <= 0 {
			return
		}
		for entry := r.buf[:n]; len(entry) > 0; {
			// struct linux_dirent64
			size := binary.NativeEndian.Uint16(entry[16:])
			kind, name := entry[18], entry[19:size:size] // which ends in 0
			entry = entry[size:]
			if kind == unix.DT_UNKNOWN {
				kind = kindOf(fd, name)
			}
			switch kind {
			case unix.DT_DIR:
				if s := unix.ByteSliceToString(name); s != "." && s != ".." {
					path := s
					if f.path != "" {
						path = f.path + "/" + s
					}
					f.items = append(f.items, scanItem{folder: &folder{path: path, dev: f.dev, attrs: attrs}})
				}
			case unix.DT_REG:
				if !attrs {
					continue
				}
				n, err := r.getxattr(fd, name)
				if err == unix.ENODATA || err == unix.ENOENT {
					continue
				}
				path := r.root + unix.ByteSliceToString(name)
				if f.path != "" {
					path = r.root + f.path + "/" + unix.ByteSliceToString(name)
				}
				item := scanItem{found: Found{Path: path}}
				var e error
				if err != 0 {
					e = err
				}
				item.found.File, item.err = decodeAttr(path, r.attr[:], n, e)
				f.items = append(f.items, item)
			}
		}
	}
}

// open opens a folder below the root, following no link anywhere.
func (r *reader) open(path string) (int, error) {
	if path == "" {
		path = "."
	}
	if len(path) >= unix.PathMax {
		return -1, unix.ENAMETOOLONG
	}
	fd, err := ignoreEINTR(func() (int, error) {
		return unix.Openat2(r.fd, path, &unix.OpenHow{Flags: openFolder, Resolve: unix.RESOLVE_NO_SYMLINKS})
	})
	if err == unix.ENOSYS || err == unix.EPERM { // before Linux 5.6, or an old seccomp filter
		return openEach(r.fd, path)
	}
	return fd, err
}

const openFolder = unix.O_RDONLY | unix.O_DIRECTORY | unix.O_NOFOLLOW | unix.O_CLOEXEC

// openEach opens a folder below dir, one element of path after the other.
func openEach(dir int, path string) (int, error) {
	fd := dir
	for name := range strings.SplitSeq(path, "/") {
		next, err := ignoreEINTR(func() (int, error) { return unix.Openat(fd, name, openFolder, 0) })
		if fd != dir {
			unix.Close(fd)
		}
		if err != nil {
			return -1, err
		}
		fd = next
	}
	return fd, nil
}

// kindOf asks for the type of an entry where the filesystem does not tell.
func kindOf(dir int, name []byte) byte {
	var stat unix.Stat_t
	if unix.Fstatat(dir, unix.ByteSliceToString(name), &stat, unix.AT_SYMLINK_NOFOLLOW) != nil {
		return unix.DT_REG // let getxattr say what is wrong
	}
	return byte(stat.Mode & unix.S_IFMT >> 12) // IFTODT
}

// xattrArgs is struct xattr_args of <linux/xattr.h>.
type xattrArgs struct {
	value uint64
	size  uint32
	flags uint32
}

// getxattr reads the attribute of an entry, whose name ends in 0, into r.attr.
func (r *reader) getxattr(dir int, name []byte) (int, unix.Errno) {
	if !r.at {
		return r.getxattrOld(dir, name)
	}
	args := xattrArgs{value: uint64(uintptr(unsafe.Pointer(&r.attr))), size: uint32(len(r.attr))}
	n, _, errno := unix.Syscall6(unix.SYS_GETXATTRAT, uintptr(dir), uintptr(unsafe.Pointer(&name[0])), unix.AT_SYMLINK_NOFOLLOW,
		uintptr(unsafe.Pointer(&attrName0[0])), uintptr(unsafe.Pointer(&args)), unsafe.Sizeof(args))
	runtime.KeepAlive(r)
	return int(n), errno
}

// getxattrOld goes by a descriptor of the file.
func (r *reader) getxattrOld(dir int, name []byte) (int, unix.Errno) {
	fd, err := unix.Openat(dir, unix.ByteSliceToString(name), unix.O_PATH|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err == nil {
		defer unix.Close(fd)
		var n int
		if n, err = unix.Getxattr("/proc/self/fd/"+strconv.Itoa(fd), attrName, r.attr[:]); err == nil {
			return n, 0
		}
		if err == unix.ENOENT { // the file is held open: it is /proc that is not there
			err = unix.ENOSYS
		}
	}
	errno, _ := err.(unix.Errno)
	return 0, errno
}

// haveGetxattrat says whether the kernel, and seccomp, let getxattrat(2) be.
func haveGetxattrat(dir int) bool {
	r := reader{scanner: &scanner{at: true}}
	_, errno := r.getxattr(dir, []byte(".\x00"))
	return errno != unix.ENOSYS && errno != unix.EPERM
}

func ignoreEINTR(f func() (int, error)) (int, error) {
	for {
		if n, err := f(); err != unix.EINTR {
			return n, err
		}
	}
}

// isPseudo says of a statfs(2) type that no program lies on such a filesystem.
func isPseudo(fstype int64) bool {
	switch fstype & 0xffffffff {
	case unix.PROC_SUPER_MAGIC, unix.SYSFS_MAGIC, unix.CGROUP_SUPER_MAGIC, unix.CGROUP2_SUPER_MAGIC, unix.DEBUGFS_MAGIC,
		unix.TRACEFS_MAGIC, unix.SECURITYFS_MAGIC, unix.SELINUX_MAGIC, unix.SMACK_MAGIC, unix.BPF_FS_MAGIC, unix.PSTOREFS_MAGIC,
		unix.DEVPTS_SUPER_MAGIC, unix.EFIVARFS_MAGIC, unix.NSFS_MAGIC, unix.BINFMTFS_MAGIC, unix.RDTGROUP_SUPER_MAGIC,
		0x62656570, // configfs
		0x19800202, // mqueue
		0x65735543, // fusectl
		0x67596969: // rpc_pipefs
		return true
	}
	return false
}
