package lab

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/lowport/lowport/caps"
	"github.com/lowport/lowport/internal/figures"
	"github.com/lowport/lowport/internal/thread"
)

// The execve rule of package caps is compared with this kernel: real programs
// are executed by real threads in every kind of state, and what they then hold
// is what State.Exec must have said. The test runs itself again in disposable
// namespaces, where the files are: once as the initial user namespace's root
// and once in a child user namespace.

const gridEnv = "LOWPORT_EXECGRID"

func init() { // before the test framework: this process is a worker
	if role := os.Getenv(gridEnv); role != "" {
		if err := gridWorker(role); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
}

func TestExecGrid(t *testing.T)   { runGrid(t, "exec") }
func TestSetuidGrid(t *testing.T) { runGrid(t, "setuid") }

func runGrid(t *testing.T, role string) {
	needRoot(t)
	if runtime.GOARCH != "amd64" {
		t.Skip("the program it executes is amd64 machine code")
	}
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), gridEnv+"="+role)
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNS | unix.CLONE_NEWPID | unix.CLONE_NEWIPC}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	figures.Add(t, role+" grid: "+strings.ReplaceAll(strings.TrimSpace(string(out)), "\n", "; "))
}

func gridWorker(role string) error {
	switch role {
	case "setuid":
		return setuidGrid()
	case "child":
		return execGrid(gridChildRoot)
	}
	if err := gridMounts(); err != nil {
		return err
	}
	if err := gridFiles(0); err != nil {
		return err
	}
	if err := gridFiles(gridChildRoot); err != nil {
		return err
	}
	if err := execGrid(0); err != nil {
		return err
	}
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), gridEnv+"=child")
	ids := []syscall.SysProcIDMap{{HostID: gridChildRoot, Size: 65536}}
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWUSER, UidMappings: ids, GidMappings: ids, GidMappingsEnableSetgroups: true, Credential: &syscall.Credential{}}
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	return cmd.Run()
}

// gridMounts hides /tmp of this mount namespace behind a tmpfs, seen a second
// time at /tmp/nosuid.
func gridMounts() error {
	for _, m := range []struct {
		source, target, fstype string
		flags                  uintptr
		data                   string
	}{
		{"none", "/", "", unix.MS_REC | unix.MS_PRIVATE, ""},
		{"proc", "/proc", "proc", 0, ""},
		{"tmpfs", "/tmp", "tmpfs", 0, "mode=755"},
		{"", "/tmp/suid", "", 0, ""},
		{"", "/tmp/nosuid", "", 0, ""},
		{"/tmp/suid", "/tmp/nosuid", "", unix.MS_BIND, ""},
		{"none", "/tmp/nosuid", "", unix.MS_BIND | unix.MS_REMOUNT | unix.MS_NOSUID, ""},
	} {
		var err error
		if m.source == "" {
			err = os.Mkdir(m.target, 0o755)
		} else {
			err = unix.Mount(m.source, m.target, m.fstype, m.flags, m.data)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", m.target, err)
		}
	}
	return nil
}

// gridProgram is an ELF file that writes its securebits to standard output, 4
// bytes, and waits to be killed.
var gridProgram = func() []byte {
	code := []byte{
		0xb8, 157, 0, 0, 0, // mov $SYS_prctl, %eax
		0xbf, 27, 0, 0, 0, // mov $PR_GET_SECUREBITS, %edi
		0x0f, 0x05, // syscall
		0x50,             // push %rax
		0xbf, 1, 0, 0, 0, // mov $1, %edi
		0x89, 0xf8, // mov %edi, %eax (SYS_write)
		0x48, 0x89, 0xe6, // mov %rsp, %rsi
		0xba, 4, 0, 0, 0, // mov $4, %edx
		0x0f, 0x05, // syscall
		0xb8, 34, 0, 0, 0, // mov $SYS_pause, %eax
		0x0f, 0x05, // syscall
		0xeb, 0xf7, // jmp to the mov
	}
	const base, headers = 0x400000, 64 + 56
	le := func(size int, v uint64) []byte {
		b := make([]byte, size)
		for i := range b {
			b[i] = byte(v >> (8 * i))
		}
		return b
	}
	var b []byte
	for _, field := range [][]byte{
		[]byte("\x7fELF\x02\x01\x01"), make([]byte, 9), le(2, 2), le(2, 62), le(4, 1), le(8, base+headers), le(8, 64), le(8, 0),
		le(4, 0), le(2, 64), le(2, 56), le(2, 1), le(2, 0), le(2, 0), le(2, 0), // ELF header
		le(4, 1), le(4, 5), le(8, 0), le(8, base), le(8, base), le(8, headers+uint64(len(code))), le(8, headers+uint64(len(code))), le(8, 4096), // PT_LOAD
		code,
	} {
		b = append(b, field...)
	}
	return b
}()

// Ids as seen in the user namespace under test: a, b own nothing, the groups
// are the caller's two, a supplementary one and a foreign one.
const (
	uidA, uidB               = 1000, 1001
	gidA, gidB, gidSup, gidX = 2000, 2001, 2002, 2003

	gridChildRoot = 100000 // the initial namespace's name for the child namespace's root
)

const (
	capA = caps.NET_BIND_SERVICE
	capB = caps.NET_RAW
)

// gridXattrs are the capabilities of files. The root id is that of the initial
// namespace; notOurs are those that do not count in a namespace.
var gridXattrs = []struct {
	file    *caps.File
	notOurs func(root uint32) bool
}{
	{},
	{file: &caps.File{}},
	{file: &caps.File{Effective: true}},
	{file: &caps.File{Permitted: caps.SetOf(capA)}},
	{file: &caps.File{Permitted: caps.SetOf(capA), Effective: true}},
	{file: &caps.File{Inheritable: caps.SetOf(capA)}},
	{file: &caps.File{Inheritable: caps.SetOf(capA), Effective: true}},
	{file: &caps.File{Permitted: caps.SetOf(capA, capB), Inheritable: caps.SetOf(capB)}},
	{file: &caps.File{Permitted: caps.SetOf(capA), Inheritable: caps.SetOf(capA, capB), Effective: true}},
	{file: &caps.File{Permitted: caps.UpTo(caps.Last)}},
	{file: &caps.File{Permitted: caps.UpTo(caps.Last), Effective: true}},
	{file: &caps.File{Permitted: caps.SetOf(capA, 63), Inheritable: caps.SetOf(62), Effective: true}},
	{file: &caps.File{Version: 3, Permitted: caps.SetOf(capA), Effective: true}},
	{file: &caps.File{Version: 3, RootID: gridChildRoot, Permitted: caps.SetOf(capA), Effective: true}, notOurs: func(root uint32) bool { return root != gridChildRoot }},
	{file: &caps.File{Version: 3, RootID: gridChildRoot, Permitted: caps.SetOf(capB)}, notOurs: func(root uint32) bool { return root != gridChildRoot }},
	{file: &caps.File{Version: 3, RootID: gridChildRoot + 5, Permitted: caps.SetOf(capA), Effective: true}, notOurs: func(uint32) bool { return true }},
	{file: &caps.File{Version: 3, RootID: 7}, notOurs: func(uint32) bool { return true }},
}

// gridModes are the owners and modes of files.
var gridModes = []struct {
	mode     uint32
	uid, gid uint32
}{
	{0o755, 0, 0},
	{0o755, uidA, gidX},
	{0o4755, 0, 0},
	{0o4755, uidA, 0},
	{0o4755, uidB, 0},
	{0o2755, 0, gidA},
	{0o2755, 0, gidB},
	{0o2755, 0, gidSup},
	{0o2755, 0, gidX},
	{0o2745, 0, gidX}, // without group execute it is not set-group-ID
	{0o6755, 0, gidX},
	{0o6755, uidB, gidSup},
}

func gridPath(mount string, root uint32, xattr, mode int) string {
	return fmt.Sprintf("/tmp/%s/%d-%d-%d", mount, root, xattr, mode)
}

func gridFiles(root uint32) error {
	for x := range gridXattrs {
		for m, mode := range gridModes {
			path := gridPath("suid", root, x, m)
			err := errors.Join(
				os.WriteFile(path, gridProgram, 0o755),
				os.Chown(path, int(root+mode.uid), int(root+mode.gid)),
				unix.Chmod(path, mode.mode),
			)
			if file := gridXattrs[x].file; err == nil && file != nil {
				var b []byte
				if b, err = file.MarshalBinary(); err == nil {
					err = unix.Setxattr(path, "security.capability", b, 0)
				}
			}
			if err != nil {
				return fmt.Errorf("%s: %w", path, err)
			}
		}
	}
	return nil
}

// gridSets are what a thread holds; full is whatever the worker has.
var gridSets = func() []caps.State {
	const a, b = caps.Set(1 << capA), caps.Set(1 << capB)
	const trace = caps.Set(1 << caps.SYS_PTRACE)
	full := caps.UpTo(caps.Last)
	return []caps.State{
		{Permitted: full, Effective: full, Bounding: full},
		{Permitted: full, Bounding: full},
		{Bounding: full},
		{Permitted: a, Effective: a, Inheritable: a, Ambient: a, Bounding: full},
		{Permitted: a, Inheritable: a, Bounding: full},
		{Permitted: a | b, Inheritable: a | b, Ambient: a, Bounding: full},
		{Permitted: a | b, Effective: b, Inheritable: b, Ambient: b},
		{Inheritable: a},
		{Permitted: a, Bounding: a},
		{Inheritable: a | b, Bounding: b},
		{Permitted: full &^ a, Effective: full &^ a, Inheritable: a, Bounding: full &^ b},
		{Permitted: a | trace, Effective: a | trace, Inheritable: a, Ambient: a, Bounding: full},
		{Permitted: a | b, Inheritable: a | b, Ambient: a | b, Bounding: a | b},
		{Permitted: full, Effective: full &^ trace, Inheritable: full, Ambient: full, Bounding: full},
	}
}()

var gridSecurebits = []caps.Securebits{
	0,
	caps.NoRoot,
	caps.KeepCaps,
	caps.NoAmbientRaise | caps.NoSetuidFixup,
	caps.NoRoot | caps.NoRootLocked | caps.KeepCaps | caps.NoSetuidFixup,
}

// A gridThread is the credentials of a thread.
type gridThread struct {
	uids      caps.UIDs
	gid, egid uint32
	groups    []uint32
	state     caps.State
}

// enter gives this locked thread the credentials and returns its state as the
// kernel has it.
func (g gridThread) enter() (caps.State, error) {
	old, err := caps.Self()
	if err != nil {
		return old, err
	}
	want := g.state
	want.Permitted &= old.Permitted
	want.Effective &= old.Permitted
	want.Bounding &= old.Bounding
	want.Inheritable &= old.Bounding
	want.Ambient &= want.Permitted & want.Inheritable

	call := func(name string, number uintptr, args ...uintptr) {
		var a [5]uintptr
		copy(a[:], args)
		if _, _, errno := unix.RawSyscall6(number, a[0], a[1], a[2], a[3], a[4], 0); errno != 0 && err == nil {
			err = fmt.Errorf("%s%v: %w", name, args, errno)
		}
	}
	prctl := func(args ...uintptr) { call("prctl", unix.SYS_PRCTL, args...) }
	capset := func(effective, permitted, inheritable caps.Set) {
		hdr := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
		data := [2]unix.CapUserData{
			{Effective: uint32(effective), Permitted: uint32(permitted), Inheritable: uint32(inheritable)},
			{Effective: uint32(effective >> 32), Permitted: uint32(permitted >> 32), Inheritable: uint32(inheritable >> 32)},
		}
		if e := unix.Capset(&hdr, &data[0]); e != nil && err == nil {
			err = fmt.Errorf("capset: %w", e)
		}
	}
	prctl(unix.PR_SET_SECUREBITS, uintptr(caps.NoSetuidFixup))
	call("setgroups", unix.SYS_SETGROUPS, uintptr(len(g.groups)), uintptr(unsafe.Pointer(unsafe.SliceData(g.groups))))
	runtime.KeepAlive(g.groups)
	call("setresgid", unix.SYS_SETRESGID, uintptr(g.gid), uintptr(g.egid), uintptr(g.egid))
	call("setresuid", unix.SYS_SETRESUID, uintptr(g.uids.Real), uintptr(g.uids.Effective), uintptr(g.uids.Saved))
	capset(old.Permitted, old.Permitted, want.Inheritable)
	for c := range want.Ambient.All() {
		prctl(unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_RAISE, uintptr(c))
	}
	for c := range (old.Bounding &^ want.Bounding).All() {
		prctl(unix.PR_CAPBSET_DROP, uintptr(c))
	}
	prctl(unix.PR_SET_SECUREBITS, uintptr(want.Securebits))
	capset(want.Effective, want.Permitted, want.Inheritable)
	if want.NoNewPrivs {
		prctl(unix.PR_SET_NO_NEW_PRIVS, 1)
	}
	if err != nil {
		return old, err
	}
	got, err := caps.Self()
	if err == nil && got != want {
		err = fmt.Errorf("wanted %+v\ngot    %+v", want, got)
	}
	return got, err
}

// A gridCase is one execve; its fields count through the grid.
type gridCase struct {
	uid, gid, sets, securebits, nnp, how, nosuid, xattr, mode int
}

var (
	gridUIDs = []caps.UIDs{{}, {Effective: uidA, Saved: uidA}, {Real: uidA}, {Real: uidA, Effective: uidA, Saved: uidA}, {Real: uidA, Effective: uidB, Saved: uidB}}
	gridGIDs = [][2]uint32{{gidA, gidA}, {gidA, gidB}}
)

const (
	howTraced = 1 << iota
	howShared
)

// gridAt returns case i of the grid, and whether there is one.
func gridAt(i int) (gridCase, bool) {
	digit := func(n int) int {
		d := i % n
		i /= n
		return d
	}
	c := gridCase{
		xattr: digit(len(gridXattrs)), mode: digit(len(gridModes)), sets: digit(len(gridSets)), uid: digit(len(gridUIDs)),
		securebits: digit(len(gridSecurebits)), nnp: digit(2), how: digit(4), nosuid: digit(2), gid: digit(len(gridGIDs)),
	}
	return c, i == 0
}

// gridStep visits every so-many-th case, fewer in an emulated machine. It is prime
// and divides no dimension, so that every combination of a few values of any
// dimensions is visited.
var gridStep = map[bool]int{true: 211, false: 1009}[ours == ""]

func execGrid(root uint32) error {
	var mu sync.Mutex
	next, done, refused := 0, 0, 0
	var wrong []string
	take := func() (gridCase, bool) {
		mu.Lock()
		defer mu.Unlock()
		c, ok := gridAt(next)
		next += gridStep
		return c, ok && len(wrong) < 20
	}
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			for c, ok := take(); ok; c, ok = take() {
				r := c.run(root)
				mu.Lock()
				done++
				if r.refused {
					refused++
				}
				if r.wrong != "" {
					wrong = append(wrong, r.wrong)
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	fmt.Printf("user namespace of uid %d: %d execs, %d refused with EPERM, %d disagreements\n", root, done, refused, len(wrong))
	if len(wrong) > 0 {
		return errors.New(strings.Join(wrong, "\n"))
	}
	return nil
}

type gridResult struct {
	refused bool
	wrong   string
}

// run executes the case, and compares.
func (c gridCase) run(root uint32) gridResult {
	mode := gridModes[c.mode]
	g := gridThread{uids: gridUIDs[c.uid], gid: gridGIDs[c.gid][0], egid: gridGIDs[c.gid][1], groups: []uint32{gidSup}, state: gridSets[c.sets]}
	g.state.Securebits = gridSecurebits[c.securebits]
	g.state.NoNewPrivs = c.nnp == 1
	mount := []string{"suid", "nosuid"}[c.nosuid]
	e := caps.Exec{
		UID: g.uids.Real, EUID: g.uids.Effective, GID: g.gid, EGID: g.egid, Groups: g.groups,
		File: gridXattrs[c.xattr].file, Nosuid: c.nosuid == 1,
		Setuid: mode.mode&0o4000 != 0, FileUID: mode.uid,
		Setgid: mode.mode&0o2010 == 0o2010, FileGID: mode.gid,
		SharedFS: c.how&howShared != 0,
		RealIDs:  gridRealIDs,
	}
	if f := gridXattrs[c.xattr].notOurs; f != nil && f(root) {
		e.File = nil
	}

	type started struct {
		before, after caps.State
		err           error // execve's own
		broken        error // the test's
	}
	s := thread.Run(func() (s started) {
		if s.before, s.broken = g.enter(); s.broken != nil {
			return s
		}
		s.after, s.err, s.broken = gridExec(gridPath(mount, root, c.xattr, c.mode), c.how)
		return s
	})
	if s.broken != nil {
		return gridResult{wrong: fmt.Sprintf("%+v: %v", c, s.broken)}
	}
	// PTRACE_TRACEME gives the tracer the tracee's own credentials
	// (ptrace_link), so its capability is the caller's.
	e.Traced = c.how&howTraced != 0 && !s.before.Effective.Has(caps.SYS_PTRACE)

	want, err := s.before.Exec(e)
	r := gridResult{refused: s.err != nil}
	if !errors.Is(err, syscall.EPERM) && err != nil || (err != nil) != (s.err != nil) || s.err != nil && s.err != syscall.EPERM {
		r.wrong = fmt.Sprintf("%+v\n file   %+v\n before %+v\n kernel %v, rule %v", e, e.File, s.before, s.err, err)
	} else if err == nil && want != s.after {
		r.wrong = fmt.Sprintf("%+v\n file   %+v\n before %+v\n kernel %+v\n rule   %+v", e, e.File, s.before, s.after, want)
	}
	return r
}

// gridRealIDs is the rule of this kernel's release.
var gridRealIDs = func() bool {
	var u unix.Utsname
	if unix.Uname(&u) != nil {
		return false
	}
	var major, minor int
	_, _ = fmt.Sscanf(unix.ByteSliceToString(u.Release[:]), "%d.%d", &major, &minor)
	return major < 6 || major == 6 && minor < 16
}()

// gridExec executes the program from this thread and returns what it holds.
func gridExec(path string, how int) (after caps.State, execErr, broken error) {
	r, w, err := os.Pipe()
	if err != nil {
		return after, nil, err
	}
	defer r.Close()
	attr := &syscall.ProcAttr{
		Env:   []string{},
		Files: []uintptr{2, w.Fd(), 2},
		Sys:   &syscall.SysProcAttr{Ptrace: how&howTraced != 0},
	}
	if how&howShared != 0 {
		attr.Sys.Cloneflags = unix.CLONE_FS
	}
	pid, err := syscall.ForkExec(path, []string{path}, attr)
	w.Close()
	if err != nil {
		return after, err, nil
	}
	// Only root may kill what has gained privileges: another thread does.
	defer func() {
		c := make(chan error)
		go func() {
			err := unix.Kill(pid, unix.SIGKILL)
			for {
				var ws unix.WaitStatus
				if _, e := unix.Wait4(pid, &ws, unix.WALL, nil); e == unix.EINTR {
					continue
				} else if e != nil || ws.Exited() || ws.Signaled() {
					c <- errors.Join(err, e)
					return
				}
			}
		}()
		broken = errors.Join(broken, <-c)
	}()
	if how&howTraced != 0 {
		var ws unix.WaitStatus
		if _, err := unix.Wait4(pid, &ws, unix.WALL, nil); err != nil || ws.StopSignal() != unix.SIGTRAP {
			return after, nil, fmt.Errorf("no stop after execve: %#x, %v", ws, err)
		}
		if err := unix.PtraceCont(pid, 0); err != nil {
			return after, nil, fmt.Errorf("PTRACE_CONT: %w", err)
		}
	}
	var bits [4]byte
	if _, err := io.ReadFull(r, bits[:]); err != nil {
		return after, nil, fmt.Errorf("no answer: %w", err)
	}
	after, err = caps.ReadStatus(os.DirFS("/proc"), pid)
	after.Securebits = caps.Securebits(bits[0]) | caps.Securebits(bits[1])<<8
	return after, nil, err
}

// setuidGrid compares SetUIDs and SetFSUID with setresuid(2) and setfsuid(2).
func setuidGrid() error {
	ids := []uint32{0, uidA, uidB}
	var all []caps.UIDs
	for i := range 27 {
		all = append(all, caps.UIDs{Real: ids[i%3], Effective: ids[i/3%3], Saved: ids[i/9]})
	}
	may := caps.SetOf(caps.SETUID) // which makes every call permitted
	var wrong []string
	done := 0
	compare := func(what string, want, got caps.State) {
		done++
		if got != want {
			wrong = append(wrong, fmt.Sprintf("%s\n kernel %+v\n rule   %+v", what, got, want))
		}
	}
	for i, old := range all {
		for k, set := range gridSets {
			for _, securebits := range gridSecurebits {
				set.Securebits = securebits
				set.Permitted |= may
				set.Effective |= may
				// The new ids take turns: all of them are met, with every state.
				for n := (i + k) % 7; n < len(all); n += 7 {
					new := all[n]
					err := thread.Run(func() error {
						before, err := gridThread{uids: old, state: set}.enter()
						if err != nil {
							return err
						}
						if _, _, errno := unix.RawSyscall(unix.SYS_SETRESUID, uintptr(new.Real), uintptr(new.Effective), uintptr(new.Saved)); errno != 0 {
							return errno
						}
						after, err := caps.Self()
						compare(fmt.Sprintf("setresuid: %v to %v: %+v", old, new, before), before.SetUIDs(old, new), after)
						return err
					})
					if err != nil {
						return err
					}
				}
				for _, fsuid := range ids {
					err := thread.Run(func() error {
						before, err := gridThread{uids: old, state: set}.enter()
						if err != nil {
							return err
						}
						_, _, _ = unix.RawSyscall(unix.SYS_SETFSUID, uintptr(fsuid), 0, 0)
						after, err := caps.Self()
						compare("setfsuid to "+strconv.Itoa(int(fsuid)), before.SetFSUID(old.Effective, fsuid), after)
						// And back or on from there.
						_, _, _ = unix.RawSyscall(unix.SYS_SETFSUID, uintptr(old.Effective), 0, 0)
						again, err2 := caps.Self()
						compare("setfsuid from "+strconv.Itoa(int(fsuid)), after.SetFSUID(fsuid, old.Effective), again)
						return errors.Join(err, err2)
					})
					if err != nil {
						return err
					}
				}
			}
		}
	}
	fmt.Printf("%d changes of user ids, %d disagreements\n", done, len(wrong))
	if len(wrong) > 0 {
		return errors.New(strings.Join(wrong[:min(len(wrong), 20)], "\n"))
	}
	return nil
}
