package caps

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/lowport/lowport/internal/needs"
	"golang.org/x/sys/unix"
)

// program makes a file that begins like an ELF program.
func program(t *testing.T, name string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte("\x7fELF and more"), 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestWriteFile(t *testing.T) {
	needs.Root(t)
	path := program(t, "server")
	web := File{Permitted: SetOf(NET_BIND_SERVICE), Effective: true}
	if _, err := ReadFile(path); !errors.Is(err, ErrNoCaps) {
		t.Error(err)
	}
	long := filepath.Dir(path) + strings.Repeat("/.", 200) + "/server"
	if _, err := ReadFile(long); !errors.Is(err, ErrNoCaps) {
		t.Error(err)
	}
	if _, err := ReadFile(path + "\x00x"); !errors.Is(err, unix.EINVAL) {
		t.Error(err)
	}
	if err := VerifyFile(path, web); !errors.Is(err, ErrNoCaps) {
		t.Error(err)
	}
	if err := RemoveFile(path); !errors.Is(err, ErrNoCaps) {
		t.Error(err)
	}
	for _, f := range []File{web, {}, {Permitted: ^Set(0), Inheritable: 1}, {Permitted: 1, RootID: 1000}, {Version: 3, Permitted: 2}} {
		if err := WriteFile(path, f, 0); err != nil {
			t.Errorf("%+v: %v", f, err)
		}
		if err := VerifyFile(path, f); err != nil {
			t.Errorf("%+v: %v", f, err)
		}
		if n := testing.AllocsPerRun(10, func() { _, _ = ReadFile(path) }); n != 0 {
			t.Errorf("%v allocations", n)
		}
	}
	var mismatch *MismatchError
	if err := VerifyFile(path, web); !errors.As(err, &mismatch) || mismatch.Got.Permitted != 2 || errors.Is(err, ErrNoCaps) {
		t.Error(err)
	}
	if err := WriteFile(path, File{Version: 1}, 0); !errors.Is(err, unix.EINVAL) {
		t.Errorf("version 1: %v", err)
	}
	if err := RemoveFile(path); err != nil {
		t.Error(err)
	}
	if _, err := ReadFile(path); !errors.Is(err, ErrNoCaps) {
		t.Error(err)
	}

	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if err := WriteOpen(file, web, 0); err != nil {
		t.Error(err)
	}
	if got, err := ReadOpen(file); err != nil || !got.same(web) {
		t.Error(got, err)
	}
	if err := RemoveOpen(file); err != nil {
		t.Error(err)
	}
	if _, err := ReadOpen(file); !errors.Is(err, ErrNoCaps) {
		t.Error(err)
	}
	file.Close()
	if err := WriteOpen(file, web, 0); !errors.Is(err, os.ErrClosed) {
		t.Error(err)
	}
}

// copyOver makes a file a copy of a program of the machine.
func copyOver(t *testing.T, from, to string) {
	t.Helper()
	b, err := os.ReadFile(from)
	if err == nil {
		err = os.WriteFile(to, b, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func shell(t *testing.T, to string) {
	t.Helper()
	copyOver(t, "/bin/sh", to)
}

func TestWriteFileRefuses(t *testing.T) {
	needs.Suid(t)
	self, err := Self()
	if err != nil {
		t.Fatal(err)
	}
	may := self.Effective.Has(SETFCAP)
	web := File{Permitted: SetOf(NET_BIND_SERVICE)}
	do := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	for name, test := range map[string]struct {
		path string
		make func(path string)
		want Danger
	}{
		"script":   {"server", func(p string) { do(os.WriteFile(p, []byte("#!/bin/sh\n"), 0o755)) }, NotELF},
		"empty":    {"server", func(p string) { do(os.Truncate(p, 0)) }, NotELF},
		"shell":    {"server", func(p string) { shell(t, p) }, Interpreter},
		"python":   {"python3.11", func(p string) { copyOver(t, "/bin/cat", p) }, Interpreter},
		"writable": {"server", func(p string) { do(os.Chmod(p, 0o775)) }, WritableFile},
		"folder":   {"server", func(p string) { do(os.Chmod(filepath.Dir(p), 0o757)) }, WritableFolder},
		"above":    {"server", func(p string) { do(os.Chmod(filepath.Dir(filepath.Dir(p)), 0o770)) }, WritableFolder},
		"setuid":   {"server", func(p string) { do(unix.Chmod(p, 0o4755)) }, SetID},
		"setgid":   {"server", func(p string) { do(unix.Chmod(p, 0o2755)) }, SetID},
		"two":      {"perl", func(p string) { shell(t, p); do(unix.Chmod(p, 0o6757)) }, Interpreter | SetID | WritableFile},
	} {
		t.Run(name, func(t *testing.T) {
			path := program(t, test.path)
			test.make(path)
			err := WriteFile(path, web, 0)
			var refused *DangerError
			ok := errors.As(err, &refused)
			if !ok || refused.Danger != test.want || !strings.Contains(err.Error(), "instead: ") {
				t.Fatalf("%v, want %v", err, test.want)
			}
			if err := WriteFile(path, web, ^test.want); !errors.As(err, &refused) {
				t.Error(err)
			}
			if _, err := ReadFile(path); !errors.Is(err, ErrNoCaps) {
				t.Errorf("it was written: %v", err)
			}
			if may {
				if err := WriteFile(path, web, test.want); err != nil {
					t.Error(err)
				}
			}
		})
	}

	path := program(t, "server")
	dir := filepath.Dir(path)
	do(os.Symlink(path, path+".link"))
	do(unix.Mkfifo(path+".fifo", 0o600))
	for _, p := range []string{path + ".link", path + ".fifo", dir} {
		if err := WriteFile(p, web, 0); !errors.Is(err, ErrNotRegular) {
			t.Errorf("%s: %v", p, err)
		}
		if err := RemoveFile(p); !errors.Is(err, ErrNotRegular) {
			t.Errorf("%s: %v", p, err)
		}
	}
	do(os.Symlink(dir, dir+".link"))
	if may { // links in folders above are the system's own, as in /bin
		if err := WriteFile(dir+".link/server", web, 0); err != nil {
			t.Error(err)
		}
	} else if err := WriteFile(path, web, 0); !errors.Is(err, os.ErrPermission) {
		t.Error(err)
	}
	if err := WriteFile(path+".none", web, 0); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
	if _, err := ReadFile("/proc/self/status"); !errors.Is(err, unix.EOPNOTSUPP) && !errors.Is(err, ErrNoCaps) {
		t.Error(err)
	}
}

func TestDangerText(t *testing.T) {
	if got := (Nosuid | 1<<7).String(); got != reasons[5].reason+"; Danger(0x80)" {
		t.Error(got)
	}
}

// Mounts are made in a mount namespace of one thread, which ends with it.
func TestWriteFileFilesystems(t *testing.T) {
	needs.Root(t)
	if err := WriteFile("/proc/version", File{}, NotELF|Nosuid); !errors.Is(err, ErrNoAttributes) || !errors.Is(err, unix.EOPNOTSUPP) {
		t.Error(err)
	}
	nosuid, ramfs := t.TempDir(), t.TempDir()
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread()
		if err := errors.Join(
			unix.Unshare(unix.CLONE_NEWNS),
			unix.Mount("none", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""),
			unix.Mount("none", nosuid, "tmpfs", unix.MS_NOSUID, "mode=755"),
			unix.Mount("none", ramfs, "ramfs", 0, "mode=755"),
			os.WriteFile(nosuid+"/server", []byte("\x7fELF"), 0o755),
			os.WriteFile(ramfs+"/server", []byte("\x7fELF"), 0o755),
		); err != nil {
			t.Error(err)
			return
		}
		err := WriteFile(nosuid+"/server", File{}, 0)
		if danger := (*DangerError)(nil); !errors.As(err, &danger) || danger.Danger != Nosuid {
			t.Error(err)
		}
		if err := WriteFile(nosuid+"/server", File{}, Nosuid); err != nil {
			t.Error(err)
		}
		if err := WriteFile(ramfs+"/server", File{}, 0); !errors.Is(err, ErrNoAttributes) {
			t.Error(err)
		}
		if _, err := ReadFile(ramfs + "/server"); !errors.Is(err, unix.EOPNOTSUPP) {
			t.Error(err)
		}
		for f, err := range Scan(ramfs) { // where nothing can have any
			t.Error(f, err)
		}

		// Without /proc there is no real path of an open file.
		path := program(t, "server")
		if err := unix.Unmount("/proc", unix.MNT_DETACH); err != nil {
			t.Error(err)
			return
		}
		for _, accept := range []Danger{0, Interpreter, ^Interpreter, ^WritableFolder} {
			if err := WriteFile(path, File{}, accept); err == nil || errors.Is(err, os.ErrNotExist) {
				t.Errorf("accepting %v: %v", accept, err)
			}
		}
		if err := WriteFile(path, File{}, Interpreter|WritableFolder); err != nil {
			t.Error(err)
		}
	}()
	<-done
}

// While the path is swapped between a program and a script, only the program
// ever gets capabilities: the file that was looked at is the one that is
// written.
func TestWriteFileRace(t *testing.T) {
	needs.Root(t)
	path := program(t, "server")
	good, bad := path+".good", path+".bad"
	if err := errors.Join(os.Link(path, good), os.WriteFile(bad, []byte("#!/bin/sh\n"), 0o755)); err != nil {
		t.Fatal(err)
	}
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
			}
			from := good
			if i%2 == 0 {
				from = bad
			}
			_ = os.Link(from, path+".new")
			_ = os.Rename(path+".new", path)
			_ = os.Remove(path + ".new") // rename does nothing between links of one file
		}
	}()
	written := 0
	for range 300 {
		if WriteFile(path, File{Permitted: 1}, 0) == nil {
			written++
		}
	}
	close(stop)
	<-done
	if _, err := ReadFile(bad); !errors.Is(err, ErrNoCaps) {
		t.Errorf("the script has capabilities: %v", err)
	}
	t.Log(written, "of 300 written")
}
