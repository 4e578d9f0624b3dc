//go:build linux

// First makes the file system of a box and runs commands there:
//
//	first box BASE BIN
//	first boot BASE BIN
//	first serve
//
// It is process 1 of a box, or with "boot" becomes systemd. With "serve", and as process 1, it
// runs what it is asked to through file descriptor 3, one command after another, and answers
// through 4, both in JSON.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/lowport/lowport/internal/lab/box"
)

// The threads of a process may be in different cgroup namespaces: all is done on the first.
func init() { runtime.LockOSThread() }

func main() {
	if len(os.Args) < 2 {
		os.Exit(64)
	}
	err := first(os.Args[1], os.Args[2:])
	fmt.Fprintln(os.Stderr, "first:", err)
	os.Exit(1)
}

func first(mode string, args []string) error {
	syscall.CloseOnExec(3)
	syscall.CloseOnExec(4)
	switch {
	case mode == "serve":
	case len(args) != 2:
		return errors.New("usage: first {box BASE BIN | boot BASE BIN | serve}")
	case mode == "boot":
		if err := build(args[0], args[1], true); err != nil {
			return err
		}
		return syscall.Exec("/lib/systemd/systemd", []string{"systemd", "--system", "--unit=basic.target",
			"--log-target=console", "--log-level=err", "--show-status=0"}, append(box.Environment(), "container=lab"))
	default:
		if err := build(args[0], args[1], false); err != nil {
			return err
		}
	}
	return serve()
}

// serve runs commands until nobody asks any more.
func serve() error {
	cgroup, err := os.Open("/sys/fs/cgroup/user.slice")
	if err != nil {
		return err
	}
	commands, results := json.NewDecoder(os.NewFile(3, "ask")), json.NewEncoder(os.NewFile(4, "answer"))
	err = results.Encode(box.Result{})
	for err == nil {
		var c box.Command
		if commands.Decode(&c) != nil {
			os.Exit(0)
		}
		err = results.Encode(run(c, cgroup))
	}
	return err
}

// run runs a command in a cgroup. Its output goes to a file and not a pipe, so that what it
// leaves running holds nothing up.
func run(c box.Command, cgroup *os.File) (r box.Result) {
	output, err := os.CreateTemp("/dev/shm", "output")
	if err != nil {
		return box.Result{Error: err.Error()}
	}
	defer os.Remove(output.Name())
	defer output.Close()
	cmd := exec.Command(c.Argv[0], c.Argv[1:]...)
	cmd.Dir = "/"
	cmd.Env = append(box.Environment(), "HOME=/root")
	cmd.SysProcAttr = &syscall.SysProcAttr{UseCgroupFD: true, CgroupFD: int(cgroup.Fd()), Setpgid: true}
	if c.UID != 0 {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: uint32(c.UID), Gid: uint32(c.UID)}
		cmd.Env = append(cmd.Env, "HOME=/tmp")
	}
	cmd.Env = append(cmd.Env, c.Env...)
	cmd.Stdin = strings.NewReader(c.Stdin)
	cmd.Stdout, cmd.Stderr = output, output
	// A reader of standard input that has gone is no error of the command's.
	cmd.WaitDelay = time.Second
	if err := cmd.Start(); err != nil {
		return box.Result{Error: err.Error()}
	}
	limit := time.AfterFunc(c.Limit, func() { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) })
	_ = cmd.Wait() // its status says how it ended
	limit.Stop()
	reap()
	r.Code = cmd.ProcessState.ExitCode()
	text, err := os.ReadFile(output.Name())
	r.Output = string(text)
	said, errSaid := collect()
	r.Said = said
	if err := errors.Join(err, errSaid); err != nil {
		r.Error = err.Error()
	}
	return r
}

// reap waits for the processes that have ended and whose parents have too.
func reap() {
	for {
		pid, err := syscall.Wait4(-1, nil, syscall.WNOHANG, nil)
		if pid <= 0 || err != nil {
			return
		}
	}
}

// collect takes the files that were left in the folder.
func collect() (map[string]string, error) {
	names, err := filepath.Glob(box.Said + "/*")
	if err != nil || len(names) == 0 {
		return nil, err
	}
	said := make(map[string]string)
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err == nil {
			err = os.Remove(name)
		}
		if err != nil {
			return nil, err
		}
		said[filepath.Base(name)] = string(text)
	}
	return said, nil
}

// build makes the file system of the box: this machine's below a layer in memory, with what
// belongs to a machine alone made anew. Of this machine's own services none is started there.
func build(base, bin string, boots bool) error {
	const root = "/mnt/root"
	var failed error
	do := func(err error, what ...string) {
		if err != nil && failed == nil {
			failed = fmt.Errorf("%s: %w", strings.Join(what, " "), err)
		}
	}
	mount := func(kind, to string, flags uintptr, data string) {
		do(os.MkdirAll(to, 0o755), "mkdir", to)
		do(unix.Mount(kind, to, kind, flags, data), "mount", kind, to)
	}
	bind := func(from, to string, flags uintptr) {
		do(os.MkdirAll(to, 0o755), "mkdir", to)
		do(unix.Mount(from, to, "", unix.MS_BIND|unix.MS_REC, ""), "bind", from, to)
		do(unix.Mount("", to, "", unix.MS_BIND|unix.MS_REMOUNT|flags, ""), "remount", to)
	}
	const harmless = unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC

	do(unix.Unshare(unix.CLONE_NEWCGROUP), "unshare")
	do(unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""), "make private")
	mount("tmpfs", "/mnt", 0, "mode=755")
	for _, dir := range []string{"/mnt/up", "/mnt/work", root} {
		do(os.Mkdir(dir, 0o755), "mkdir", dir)
	}
	do(os.CopyFS("/mnt/up", os.DirFS(base)), "copy", base)
	do(owners(base), "owners")
	mount("overlay", root, 0, "lowerdir=/,upperdir=/mnt/up,workdir=/mnt/work")
	if err := os.Remove(root + "/.dockerenv"); !errors.Is(err, os.ErrNotExist) {
		do(err, "remove") // a box is a machine, also where this one is a container
	}
	mount("proc", root+"/proc", harmless, "")
	mount("sysfs", root+"/sys", harmless|unix.MS_RDONLY, "")
	mount("cgroup2", root+"/sys/fs/cgroup", harmless, "")
	mount("tmpfs", root+"/run", unix.MS_NOSUID|unix.MS_NODEV, "mode=755")
	mount("tmpfs", root+"/tmp", 0, "mode=1777")
	mount("tmpfs", root+"/srv", 0, "mode=755")
	mount("tmpfs", root+"/dev", unix.MS_NOSUID, "mode=755")
	do(devices(root+"/dev"), "devices")
	mount("tmpfs", root+"/dev/shm", unix.MS_NOSUID|unix.MS_NODEV, "mode=1777")
	bind(root+"/proc/sys", root+"/proc/sys", unix.MS_RDONLY)
	bind(root+"/proc/sys/net", root+"/proc/sys/net", 0)
	bind(bin, root+"/lab", unix.MS_RDONLY)
	do(os.Mkdir(root+box.Said, 0o755), "mkdir", box.Said)
	do(os.Chmod(root+box.Said, 0o777), "chmod", box.Said)
	if boots {
		mount("tmpfs", root+"/usr/lib/systemd/system-generators", 0, "")
		for _, pattern := range []string{"system-generators", "system/*.wants", "system/*.requires"} {
			found, err := filepath.Glob(root + "/etc/systemd/" + pattern)
			do(err)
			for _, dir := range found {
				do(os.RemoveAll(dir), "remove", dir)
			}
		}
	}
	do(up(), "loopback")
	do(unix.Sethostname([]byte("lab")), "hostname")
	do(os.Chdir(root), "chdir")
	do(unix.PivotRoot(".", "."), "pivot_root")
	do(unix.Unmount(".", unix.MNT_DETACH), "unmount")
	do(os.Chdir("/"), "chdir")
	return failed
}

// owners gives the copied files the owners of the originals.
func owners(base string) error {
	return filepath.Walk(base, func(path string, info os.FileInfo, err error) error {
		if err != nil {
			return err
		}
		st := info.Sys().(*syscall.Stat_t)
		to := "/mnt/up" + strings.TrimPrefix(path, base)
		if err := os.Lchown(to, int(st.Uid), int(st.Gid)); err != nil {
			return err
		}
		if info.Mode()&os.ModeSymlink != 0 {
			return nil
		}
		return os.Chmod(to, info.Mode().Perm())
	})
}

// devices fills /dev.
func devices(dev string) error {
	var errs []error
	for i, name := range []string{3: "null", 5: "zero", 7: "full", 8: "random", 9: "urandom"} {
		if name != "" {
			errs = append(errs, unix.Mknod(filepath.Join(dev, name), unix.S_IFCHR|0o666, int(unix.Mkdev(1, uint32(i)))),
				os.Chmod(filepath.Join(dev, name), 0o666))
		}
	}
	errs = append(errs, unix.Mknod(dev+"/tty", unix.S_IFCHR|0o666, int(unix.Mkdev(5, 0))), os.Chmod(dev+"/tty", 0o666),
		os.Symlink("/proc/self/fd", dev+"/fd"), os.Symlink("fd/0", dev+"/stdin"), os.Symlink("fd/1", dev+"/stdout"),
		os.Symlink("fd/2", dev+"/stderr"), os.Symlink("pts/ptmx", dev+"/ptmx"), os.Mkdir(dev+"/pts", 0o755),
		unix.Mount("devpts", dev+"/pts", "devpts", 0, "newinstance,ptmxmode=0666,mode=620"))
	return errors.Join(errs...)
}

// up brings loopback up.
func up() error {
	s, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(s)
	lo, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	lo.SetUint16(unix.IFF_UP)
	return unix.IoctlIfreq(s, unix.SIOCSIFFLAGS, lo)
}
