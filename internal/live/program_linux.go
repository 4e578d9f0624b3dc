package live

import (
	"bytes"
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/internal/facts"
	"github.com/lowport/lowport/internal/program"
	"golang.org/x/sys/unix"
)

// A Program is a file that may be executed.
type Program struct {
	Path    string       // absolute, without symbolic links
	Foreign bool         // reached by a mount of another mount namespace
	File    program.File // what it is; the zero File if it may not be read
	Unsure  string       // why it is not known whether it starts, "" if it is known
	file    *os.File     // of Path
	at      string       // a path of the file; another file there cannot take its place, if /proc is mounted
	way     []step       // to Path

	tree  *Tree       // whose file it is; nil for one of this machine
	bytes []byte      // of the file of a tree
	image facts.Image // the same
}

// Open looks at the file that execve(2) would execute for a path. Close it after use. An error
// says why there is no such file: it wraps fs.ErrNotExist, fs.ErrPermission or another errno
// of execve. A script's interpreter is another program.
func Open(path string) (Program, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return Program{}, err
	}
	file, err := os.OpenFile(path, unix.O_PATH, 0)
	if err != nil {
		return Program{}, err
	}
	p := Program{file: file, Path: real(path, file)}
	p.at = fdPath(file, p.Path)
	if p.way, err = p.steps(); err == nil {
		err = p.read()
	}
	if err != nil {
		file.Close()
		return p, err
	}
	p.Foreign = errors.Is(unattached(p.at), unix.ENOENT)
	return p, nil
}

// read reads what the file is, and whether this machine executes it. A file that may not be read
// is taken not to be a script, which its interpreter could not read either.
func (p *Program) read() error {
	f, err := os.Open(p.at)
	if errors.Is(err, unix.EACCES) || errors.Is(err, unix.ENOENT) {
		unread := program.Answer[bool]{Why: "the program may not be read"}
		p.File.Does = program.Does{Raise: unread, Inherit: unread, Notify: unread}
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err == nil {
		p.File, err = program.Read(f, info.Size())
	}
	p.Unsure = p.cutOff()
	if err == nil {
		err = p.starts()
	}
	if err != nil && !errors.As(err, new(*os.PathError)) {
		err = &os.PathError{Op: "exec", Path: p.Path, Err: err}
	}
	return err
}

// cutOff says that the file ends within its last page that is loaded, "" if it does not.
func (p *Program) cutOff() string {
	if !p.File.Short {
		return ""
	}
	return p.Path + " is cut off: the end of what is loaded is not in the file"
}

// starts asks whether this kernel executes the format, or an emulator that binfmt_misc
// knows does, and whether an ELF file's loader is there.
func (p *Program) starts() error {
	if p.File.Format == program.Script {
		return nil
	}
	fits := program.Answer[bool]{}
	var name unix.Utsname
	if err := unix.Uname(&name); err != nil {
		return err
	}
	machine := unix.ByteSliceToString(name.Machine[:])
	if p.File.Format == program.ELF {
		fits = p.File.Fits(machine)
	}
	switch {
	case !fits.Known() && p.File.Machine == elf.EM_386 && unix.Access("/proc/sys/abi/vsyscall32", unix.F_OK) == nil:
		fits = program.Answer[bool]{Value: true} // the kernel was built with it (ia32_binfmt_init)
	case !fits.Known():
		p.Unsure = fits.Why
		return nil
	}
	if !fits.Value {
		return p.emulated(machine)
	}
	if loader := p.File.Interpreter; loader != "" {
		if _, err := os.Stat(loader); err != nil {
			return fmt.Errorf("its loader: %w", err)
		}
	}
	return nil
}

// emulated looks for an emulator that binfmt_misc knows.
func (p *Program) emulated(machine string) error {
	all, err := emulators()
	for _, e := range all {
		if e.Takes(p.File.Head, p.Path) {
			p.Unsure = "it is executed by " + e.Interpreter
			return nil
		}
	}
	text := p.File.Format != program.ELF && utf8.Valid(p.File.Head)
	switch {
	case err != nil && !text:
		p.Unsure = err.Error()
		return nil
	case p.File.Format != program.ELF:
		return unix.ENOEXEC
	}
	return fmt.Errorf("%w: %s", unix.ENOEXEC, p.File.Foreign(machine))
}

const binfmt = "/proc/sys/fs/binfmt_misc"

// emulators returns those that are registered with binfmt_misc. If it is not mounted, there are
// none; but in a container, where it usually is not, that cannot be told.
func emulators() (all []program.Emulator, err error) {
	if _, err := os.Stat(binfmt + "/status"); err != nil {
		for _, mark := range []string{"/.dockerenv", "/run/.containerenv", "/run/host/container-manager"} {
			if _, err := os.Stat(mark); err == nil {
				return nil, errors.New("whether an emulator is registered outside of this container is not known")
			}
		}
		return nil, nil
	}
	names, err := os.ReadDir(binfmt)
	for _, name := range names {
		if name.Name() == "status" || name.Name() == "register" {
			continue
		}
		b, errRead := readPath(filepath.Join(binfmt, name.Name()))
		e, enabled, errParse := program.ParseEmulator(name.Name(), b)
		if errs := errors.Join(errRead, errParse); errs != nil {
			err = errors.Join(err, errs)
		} else if enabled {
			all = append(all, e)
		}
	}
	return all, err
}

// maxScript bounds what is read of a script, in bytes.
const maxScript = 1 << 20

// Text is what a script says.
func (p Program) Text() (string, error) {
	if p.tree != nil {
		if len(p.bytes) > maxScript {
			return "", fmt.Errorf("%s is longer than %d bytes", p.Path, maxScript)
		}
		return string(p.bytes), nil
	}
	f, err := os.Open(p.at)
	if err != nil {
		return "", err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxScript+1))
	if len(b) > maxScript {
		return "", fmt.Errorf("%s is longer than %d bytes", p.Path, maxScript)
	}
	return string(b), err
}

// Image returns what execve sees of the file.
func (p Program) Image() facts.Image {
	if p.tree != nil {
		return p.image
	}
	r := newReading()
	r.image("path", p.at)
	return r.Facts().File.Installed
}

// Interprets reports whether the program runs other programs as it is told
// ([caps.Interprets]). It reports true if the file cannot be read, to be careful: what is
// granted to an interpreter is granted to every program that it runs.
func (p Program) Interprets() bool {
	if p.tree != nil {
		yes, err := caps.Interprets(bytes.NewReader(p.bytes), int64(len(p.bytes)), filepath.Base(p.Path))
		return yes || err != nil
	}
	file, err := os.Open(p.at)
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

// Close closes the file.
func (p Program) Close() error {
	if p.tree != nil {
		return nil
	}
	return p.file.Close()
}

// real returns the path without symbolic links, if that leads to the same file. For a path
// through /proc it may not.
func real(path string, file *os.File) string {
	links, err := filepath.EvalSymlinks(path)
	if err != nil || !sameFile(file, links) {
		return path
	}
	return links
}

// A step is a folder on the way to a file, or the file at its end.
type step struct {
	path string
	facts.Stat
	acl bool // it may have an access control list, so its mode may not say who may pass
}

// steps lists the folders to the file, and the file.
func (p Program) steps() ([]step, error) {
	var way []step
	for i, c := range p.Path {
		if c != '/' {
			continue
		}
		folder := p.Path[:max(i, 1)]
		var st unix.Stat_t
		if err := unix.Stat(folder, &st); err != nil {
			return nil, &os.PathError{Op: "stat", Path: folder, Err: err}
		}
		way = append(way, step{folder, statOf(st), mayHaveACL(folder)})
	}
	var st unix.Stat_t
	if err := unix.Fstat(int(p.file.Fd()), &st); err != nil {
		return nil, &os.PathError{Op: "stat", Path: p.Path, Err: err}
	}
	var fs unix.Statfs_t
	if err := unix.Fstatfs(int(p.file.Fd()), &fs); err != nil {
		return nil, &os.PathError{Op: "statfs", Path: p.Path, Err: err}
	}
	if s := statOf(st); !s.Executable() || fs.Flags&unix.ST_NOEXEC != 0 {
		return nil, &os.PathError{Op: "exec", Path: p.Path, Err: unix.EACCES}
	}
	return append(way, step{p.Path, statOf(st), mayHaveACL(p.at)}), nil
}

// HasACL reports whether a file has an access control list beyond its mode (acl(5)).
func HasACL(path string) (bool, error) {
	_, err := unix.Getxattr(path, "system.posix_acl_access", nil)
	if err == unix.ENODATA || err == unix.EOPNOTSUPP {
		return false, nil
	}
	return err == nil, err
}

// mayHaveACL reports whether a file has an access control list, or that cannot be told.
func mayHaveACL(path string) bool {
	has, err := HasACL(path)
	return has || err != nil
}

// Mine returns an error if this process may not execute the program.
func (p Program) Mine() error {
	for _, s := range p.way {
		if err := unix.Faccessat(unix.AT_FDCWD, s.path, unix.X_OK, unix.AT_EACCESS); err != nil {
			return &os.PathError{Op: "exec", Path: s.path, Err: err}
		}
	}
	return nil
}

// Of returns an error if the user, with these effective capabilities, may not execute the
// program by its mode and those of its folders. doubt says why the modes do not decide, ""
// if they do. It skips /proc, where modes depend on the process that asks.
// CAP_DAC_OVERRIDE passes folders, and executes what anybody may execute;
// CAP_DAC_READ_SEARCH passes folders (generic_permission). given are folders that are the user's
// before the program is executed, whatever their modes are now, perhaps with all that is in them.
func (p Program) Of(who facts.Account, effective caps.Set, given []string) (doubt string, err error) {
	for i, s := range p.way {
		last := i == len(p.way)-1
		switch {
		case effective.Has(caps.DAC_OVERRIDE), effective.Has(caps.DAC_READ_SEARCH) && !last:
		case strings.HasPrefix(s.path, "/proc/"), slices.Contains(given, s.path):
		case s.acl && who.UID != 0:
			doubt = fmt.Sprintf("the mode of %s does not say whether uid %d may execute %s, as an access control list may", s.path, who.UID, p.Path)
		case s.Passable(who.UID, who.Groups):
		case slices.ContainsFunc(given, func(dir string) bool { return strings.HasPrefix(s.path, dir+"/") }):
			doubt = fmt.Sprintf("whether %s is given to uid %d with its folder is not known", s.path, who.UID)
		default:
			return "", &os.PathError{Op: fmt.Sprintf("exec as uid %d", who.UID), Path: s.path, Err: unix.EACCES}
		}
	}
	return doubt, nil
}

// ReadBy returns an error if the user may not read the file by its mode, as the interpreter of a
// script does. doubt says why the mode does not decide, "" if it does.
func (p Program) ReadBy(who facts.Account, holds caps.Set) (doubt string, err error) {
	last := p.way[len(p.way)-1]
	switch {
	case holds.Has(caps.DAC_OVERRIDE), holds.Has(caps.DAC_READ_SEARCH), strings.HasPrefix(last.path, "/proc/"):
	case last.acl && who.UID != 0:
		doubt = fmt.Sprintf("the mode of %s does not say whether uid %d may read it, as an access control list may", last.path, who.UID)
	case !last.Readable(who.UID, who.Groups):
		err = &os.PathError{Op: fmt.Sprintf("read as uid %d", who.UID), Path: last.path, Err: unix.EACCES}
	}
	return doubt, err
}

func statOf(st unix.Stat_t) facts.Stat {
	return facts.Stat{Mode: st.Mode, UID: st.Uid, GID: st.Gid, Dev: uint64(st.Dev), Ino: st.Ino}
}

// fdPath returns a path that leads to the open file alone. Without /proc there is none but its own.
func fdPath(file *os.File, path string) string {
	at := "/proc/self/fd/" + strconv.Itoa(int(file.Fd()))
	if _, err := os.Lstat(at); err != nil && sameFile(file, path) {
		return path
	}
	return at
}

// sameFile reports whether the path leads to the open file.
func sameFile(file *os.File, path string) bool {
	a, errA := file.Stat()
	b, errB := os.Stat(path)
	return errA == nil && errB == nil && os.SameFile(a, b)
}

// unattached looks for the mount of the file at path in this mount namespace. ENOENT says that
// the mount belongs to another one.
func unattached(path string) error {
	_, err := newReading().mountPoint(path)
	return err
}

// Read reads the evidence as the function Read does, but about this program instead of the
// running one.
func (p Program) Read(ports ...int) facts.Record {
	r := newReading()
	r.Record = Read(ports...)
	r.add("proc/self/exe", func() ([]byte, error) {
		if strings.HasSuffix(p.Path, facts.DeletedMark) {
			return nil, errors.New(endsInDeleted)
		}
		return []byte(p.Path), nil
	})
	r.image("exe", p.at)
	r.image("path", p.at)
	r.danger(p.at)
	r.owners("/", p.Path)
	r.attributes(p.at)
	r.moved(p.Path)
	r.mounts(r.ownView(p.at, p.Path))
	r.add("args", func() ([]byte, error) { return fmt.Appendf(nil, "%s\x00", p.Path), nil })
	r.add("main package", func() ([]byte, error) { return nil, errors.New("not read of a file") })
	r.add("loader", func() ([]byte, error) { return line(p.loader()) })
	return r.Record
}
