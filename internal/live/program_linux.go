package live

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/internal/facts"
	"golang.org/x/sys/unix"
)

// A Program is a file that may be executed.
type Program struct {
	Path    string   // absolute, without symbolic links: of the file that execve takes the capabilities of
	Script  string   // what was asked for, if that is a script and Path its interpreter; else ""
	Foreign bool     // reached by a mount of another mount namespace
	file    *os.File // of Path
	way     []step   // to Path, and of a script to both
}

// headSize is BINPRM_BUF_SIZE: what the kernel looks at of a file; maxScripts is
// how many interpreters may be scripts themselves (exec_binprm).
const (
	headSize   = 256
	maxScripts = 5
)

// Open looks at the program that execve(2) would execute for a path. Close it
// after use. The error says why there is none: it wraps fs.ErrNotExist,
// fs.ErrPermission or another one that execve answers.
func Open(path string) (Program, error) {
	var p Program
	path, err := filepath.Abs(path)
	if err != nil {
		return p, err
	}
	asked := path
	for range maxScripts {
		file, err := os.OpenFile(path, unix.O_PATH, 0)
		if err != nil {
			return p, err
		}
		p.file, p.Path = file, real(path, file)
		way, err := wayTo(p.Path, file)
		if err != nil {
			file.Close()
			return p, err
		}
		p.way = append(p.way, way...)
		interpreter, err := interpreterOf(file)
		if err != nil || interpreter == "" {
			p.Foreign = errors.Is(unattached(file), unix.ENOENT)
			if err != nil {
				file.Close()
			}
			return p, err
		}
		file.Close()
		p.Script = asked
		if path, err = filepath.Abs(interpreter); err != nil {
			return p, err
		}
	}
	return p, &os.PathError{Op: "exec", Path: asked, Err: unix.ELOOP}
}

// Interprets reports whether the program runs other programs as it is told
// ([caps.Interprets]). One that cannot be read may: what is granted to it would be
// granted to who knows what.
func (p Program) Interprets() bool {
	file, err := os.Open(fdPath(p.file))
	if err != nil {
		return true
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return true
	}
	yes, err := caps.Interprets(file, info.Size(), filepath.Base(p.Path))
	return yes || err != nil
}

// Close lets go of the file.
func (p Program) Close() error { return p.file.Close() }

// real is the path without symbolic links, where that leads to the same file.
// One that leads through /proc may not.
func real(path string, file *os.File) string {
	links, err := filepath.EvalSymlinks(path)
	if err != nil {
		return path
	}
	a, errA := file.Stat()
	b, errB := os.Stat(links)
	if errA != nil || errB != nil || !os.SameFile(a, b) {
		return path
	}
	return links
}

// A step is a folder on the way to a file, or the file at its end.
type step struct {
	path string
	facts.Stat
	acl bool // its mode may not say who may pass
}

// wayTo lists the folders to a file, and the file.
func wayTo(path string, file *os.File) ([]step, error) {
	var way []step
	for i, c := range path {
		if c != '/' {
			continue
		}
		folder := path[:max(i, 1)]
		var st unix.Stat_t
		if err := unix.Stat(folder, &st); err != nil {
			return nil, &os.PathError{Op: "stat", Path: folder, Err: err}
		}
		way = append(way, step{folder, statOf(st), mayHaveACL(folder)})
	}
	var st unix.Stat_t
	if err := unix.Fstat(int(file.Fd()), &st); err != nil {
		return nil, &os.PathError{Op: "stat", Path: path, Err: err}
	}
	var fs unix.Statfs_t
	if err := unix.Fstatfs(int(file.Fd()), &fs); err != nil {
		return nil, &os.PathError{Op: "statfs", Path: path, Err: err}
	}
	if s := statOf(st); !s.Executable() || fs.Flags&unix.ST_NOEXEC != 0 {
		return nil, &os.PathError{Op: "exec", Path: path, Err: unix.EACCES}
	}
	return append(way, step{path, statOf(st), mayHaveACL(fdPath(file))}), nil
}

// HasACL says whether a file has an access control list beyond its mode (acl(5)).
func HasACL(path string) (bool, error) {
	_, err := unix.Getxattr(path, "system.posix_acl_access", nil)
	if err == unix.ENODATA || err == unix.EOPNOTSUPP {
		return false, nil
	}
	return err == nil, err
}

// mayHaveACL takes a list that cannot be looked for as one that may be there.
func mayHaveACL(path string) bool {
	has, err := HasACL(path)
	return has || err != nil
}

// Mine says whether this process may execute the program.
func (p Program) Mine() error {
	for _, s := range p.way {
		if err := unix.Faccessat(unix.AT_FDCWD, s.path, unix.X_OK, unix.AT_EACCESS); err != nil {
			return &os.PathError{Op: "exec", Path: s.path, Err: err}
		}
	}
	return nil
}

// Of says whether the user may execute the program, as far as modes tell: those
// of /proc are another process's when that asks. The doubt says why they do not
// tell, "" where they do.
func (p Program) Of(who facts.Account) (doubt string, err error) {
	for _, s := range p.way {
		switch {
		case strings.HasPrefix(s.path, "/proc/"):
		case s.acl && who.UID != 0:
			doubt = fmt.Sprintf("the mode of %s does not say whether uid %d may execute %s, as an access control list may", s.path, who.UID, p.Path)
		case !s.Passable(who.UID, who.Groups):
			return "", &os.PathError{Op: fmt.Sprintf("exec as uid %d", who.UID), Path: s.path, Err: unix.EACCES}
		}
	}
	return doubt, nil
}

func statOf(st unix.Stat_t) facts.Stat {
	return facts.Stat{Mode: st.Mode, UID: st.Uid, GID: st.Gid, Dev: uint64(st.Dev), Ino: st.Ino}
}

// interpreterOf reads the first line of a script (load_script); "" for a program
// of its own. What may not be read is no script: its interpreter could not read
// it either.
func interpreterOf(file *os.File) (string, error) {
	f, err := os.Open(fdPath(file))
	if errors.Is(err, unix.EACCES) || errors.Is(err, unix.ENOENT) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	defer f.Close()
	head := make([]byte, headSize)
	n, err := io.ReadFull(f, head)
	if err != nil && err != io.ErrUnexpectedEOF && err != io.EOF {
		return "", err
	}
	name, err := parseHead(head[:n])
	if err != nil {
		return "", &os.PathError{Op: "exec", Path: file.Name(), Err: err}
	}
	return name, nil
}

// parseHead takes the interpreter out of the first bytes of a file.
func parseHead(head []byte) (string, error) {
	switch {
	case bytes.HasPrefix(head, []byte("\x7fELF")):
		return "", nil
	case !bytes.HasPrefix(head, []byte("#!")):
		return "", unix.ENOEXEC // or one of binfmt_misc, which is not looked at
	}
	line, _, whole := bytes.Cut(head[2:], []byte("\n"))
	rest := strings.TrimLeft(string(line), " \t")
	name, _, ended := strings.Cut(strings.ReplaceAll(rest, "\t", " "), " ")
	name, _, _ = strings.Cut(name, "\x00")
	if name == "" || !whole && !ended && len(head) == headSize {
		return "", unix.ENOEXEC
	}
	return name, nil
}

func fdPath(file *os.File) string { return "/proc/self/fd/" + strconv.Itoa(int(file.Fd())) }

// unattached looks for the mount of an open file in this mount namespace: ENOENT
// says that it is of another.
func unattached(file *os.File) error {
	_, err := mountPoint(fdPath(file))
	return err
}

// Read reads the evidence as the function Read does, but of the program in the
// place of this one.
func (p Program) Read(ports ...int) facts.Record {
	r := reading(Read(ports...))
	at := fdPath(p.file)
	r.add("proc/self/exe", func() ([]byte, error) {
		if strings.HasSuffix(p.Path, facts.DeletedMark) {
			return nil, errors.New(endsInDeleted)
		}
		return []byte(p.Path), nil
	})
	r.image("exe", at)
	r.image("path", at)
	r.moved(p.Path)
	r.mounts(at, p.Path)
	r.add("args", func() ([]byte, error) { return fmt.Appendf(nil, "%s\x00", p.Name()), nil })
	r.add("main package", func() ([]byte, error) { return nil, errors.New("not read of a file") })
	return facts.Record(r)
}

// Name is what to start it by.
func (p Program) Name() string {
	if p.Script != "" {
		return p.Script
	}
	return p.Path
}
