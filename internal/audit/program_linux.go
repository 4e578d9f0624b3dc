package audit

import (
	"errors"
	"fmt"
	"os"
	"path"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/internal/facts"
	"github.com/lowport/lowport/internal/live"
)

// identity is the file that runs, or why that is not known.
func (f files) identity() string {
	var st unix.Stat_t
	if err := unix.Stat(f.path("exe"), &st); err != nil {
		return live.Reason(err)
	}
	return fmt.Sprint(st.Dev, st.Ino)
}

// program reads which file runs and what lies at its path.
func (f files) program(p *Process) {
	link, err := os.Readlink(f.path("exe"))
	p.Path = fact(f.source("exe"), func() (string, error) { return link, err })
	p.Deleted = fact(f.source("exe"), func() (bool, error) { return false, err })
	p.Exe.Stat = fact(f.source("exe"), func() (facts.Stat, error) {
		var st unix.Stat_t
		err := unix.Stat(f.path("exe"), &st)
		return facts.Stat{Mode: st.Mode, UID: st.Uid, GID: st.Gid, Dev: uint64(st.Dev), Ino: st.Ino}, err
	})
	p.Exe.Caps = fact("getxattr "+f.source("exe"), func() (caps.File, error) {
		var b [64]byte
		n, err := unix.Getxattr(f.path("exe"), "security.capability", b[:])
		if err != nil {
			return caps.File{}, err
		}
		return caps.DecodeFile(b[:n])
	})
	p.Interprets = fact(f.source("exe"), func() (bool, error) {
		if p.Exe.Caps.State == facts.Absent || p.Exe.Caps.Value.Permitted|p.Exe.Caps.Value.Inheritable == 0 {
			return false, unix.ENODATA
		}
		return f.interprets(path.Base(link))
	})
	if err != nil {
		return
	}
	if name, cut := strings.CutSuffix(link, " (deleted)"); cut {
		p.Path, p.Deleted = p.Path.Now(name), p.Deleted.Now(true)
		if rest, ok := strings.CutPrefix(name, "/memfd:"); ok {
			p.Path = p.Path.Now("memfd:" + rest)
		}
	}
	if !path.IsAbs(link) {
		p.Path = facts.Fact[string]{Source: p.Path.Source, Reason: "it lies outside the reader's folders"}
	}
}

// interprets reads the running file, whose path ends in base.
func (f files) interprets(base string) (bool, error) {
	file, err := os.Open(f.path("exe"))
	if err != nil {
		return false, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return false, err
	}
	return caps.Interprets(file, info.Size(), base)
}

// way looks at what lies at the program's path, below the root folder of the
// process; or else below ours, since the link of a process that was put into
// another root folder (chroot(2)) is read from here. rootErr says why there is no
// root.
func (f files) way(root int, rootErr error, p *Process) {
	name, ok := p.Path.Is()
	if !ok || rootErr != nil {
		p.Same, p.Way = facts.Fact[bool]{Source: f.source("root"), Reason: p.Path.Reason}, facts.Fact[[]Place]{Source: f.source("root"), Reason: p.Path.Reason}
		if rootErr != nil {
			p.Same.Reason, p.Way.Reason = live.Reason(rootErr), live.Reason(rootErr)
		}
		return
	}
	below := root
	find := func(name string) {
		p.Same = fact(f.source("exe"), func() (bool, error) {
			ours, errOurs := unix.Open("/", unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
			if errOurs != nil {
				return false, errOurs
			}
			defer unix.Close(ours)
			p.Here, _ = same(ours, name, p.Exe.Stat) // any other file there is another matter
			there, err := same(root, name, p.Exe.Stat)
			if there || err != nil && err != unix.ENODATA {
				return there, err
			}
			if p.Here {
				below = unix.AT_FDCWD
				return true, nil
			}
			return there, err
		})
	}
	if p.Deleted.Value {
		find(name + " (deleted)") // it may be called so
		if there, ok := p.Same.Is(); !ok || !there {
			find(name) // what took its place
			p.Way = facts.Fact[[]Place]{State: facts.Absent}
			return
		}
		name += " (deleted)"
		p.Path, p.Deleted = p.Path.Now(name), p.Deleted.Now(false)
	} else if find(name); p.Same.State != facts.Unreadable && !p.Same.Value {
		p.Way = facts.Fact[[]Place]{State: facts.Absent} // of another file
		return
	}
	p.Way = fact(f.source("root"), func() ([]Place, error) {
		if below == unix.AT_FDCWD {
			return walk("/", unix.AT_FDCWD, name)
		}
		return walk(".", root, name)
	})
}

// walk looks at every folder on the way to a file, a descriptor at a time.
func walk(from string, root int, name string) ([]Place, error) {
	at, err := unix.Openat(root, from, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	defer func() { unix.Close(at) }()
	place, err := look(at, "/")
	if err != nil {
		return nil, err
	}
	way := []Place{place}
	elements := strings.Split(strings.TrimPrefix(name, "/"), "/")
	for i, e := range elements {
		next, err := unix.Openat(at, e, unix.O_PATH|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
		if err != nil {
			return nil, err
		}
		unix.Close(at)
		at = next
		place, err := look(at, "/"+strings.Join(elements[:i+1], "/"))
		if err != nil {
			return nil, err
		}
		way = append(way, place)
	}
	return way, nil
}

func look(fd int, name string) (Place, error) {
	var st unix.Stat_t
	var mount unix.Statfs_t
	if err := unix.Fstat(fd, &st); err != nil {
		return Place{}, err
	}
	if err := unix.Fstatfs(fd, &mount); err != nil {
		return Place{}, err
	}
	acl, err := hasACL(fd)
	return Place{Path: name, Mode: st.Mode, UID: st.Uid, GID: st.Gid, ReadOnly: mount.Flags&unix.ST_RDONLY != 0, ACL: acl}, err
}

func hasACL(fd int) (bool, error) {
	return live.HasACL(fmt.Sprintf("/proc/thread-self/fd/%d", fd))
}

// same reports whether the file at a path is the one that runs.
func same(root int, name string, exe facts.Fact[facts.Stat]) (bool, error) {
	running, ok := exe.Is()
	if !ok {
		return false, errors.New(exe.Reason)
	}
	fd, err := open(root, name)
	if gone(err) || err == unix.ENOTDIR {
		return false, unix.ENODATA // nothing is there
	}
	if err != nil {
		return false, err
	}
	defer unix.Close(fd)
	var st unix.Stat_t
	err = unix.Fstat(fd, &st)
	return uint64(st.Dev) == running.Dev && st.Ino == running.Ino, err
}

// open finds a file below root as a process with that root does.
func open(root int, name string) (int, error) { return openWith(root, name, unix.O_PATH) }

// openWith tries again where something was renamed or mounted meanwhile, anywhere: then
// the kernel cannot tell whether ".." stayed below root (openat2(2), EAGAIN).
func openWith(root int, name string, flags uint64) (fd int, err error) {
	how := unix.OpenHow{Flags: flags | unix.O_CLOEXEC, Resolve: unix.RESOLVE_IN_ROOT | unix.RESOLVE_NO_MAGICLINKS}
	for range 1000 {
		if fd, err = unix.Openat2(root, strings.TrimPrefix(name, "/"), &how); err != unix.EAGAIN && err != unix.EINTR {
			break
		}
	}
	return fd, err
}
