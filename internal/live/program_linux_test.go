package live

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lowport/lowport/internal/facts"
	"golang.org/x/sys/unix"
)

// What execve would execute for a path, and why it would not.
func TestOpen(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	write := func(name, content string, mode fs.FileMode) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	program := write("program", "\x7fELF...", 0o755)
	script := write("script", "#! "+program+" -x\n", 0o755)
	again := write("again", "#!"+script+"\n", 0o755)
	link := filepath.Join(dir, "link")
	if err := os.Symlink("script", link); err != nil {
		t.Fatal(err)
	}
	loop := filepath.Join(dir, "loop")
	write("loop", "#!"+loop+"\n", 0o755)
	for _, tt := range []struct {
		path, is, script string
		err              error
	}{
		{program, program, "", nil},
		{script, program, script, nil},
		{again, program, again, nil},
		{link, program, link, nil},
		{loop, "", "", unix.ELOOP},
		{filepath.Join(dir, "none"), "", "", fs.ErrNotExist},
		{dir, "", "", fs.ErrPermission},
		{write("text", "\x7fELF", 0o644), "", "", fs.ErrPermission},
		{write("garbage", "garbage", 0o755), "", "", unix.ENOEXEC},
		{write("empty", "", 0o755), "", "", unix.ENOEXEC},
		{write("lost", "#!/nonexistent/sh\n", 0o755), "", "", fs.ErrNotExist},
	} {
		p, err := Open(tt.path)
		if !errors.Is(err, tt.err) {
			t.Errorf("%s: %v, want %v", tt.path, err, tt.err)
		}
		if tt.err != nil || err != nil {
			continue
		}
		if p.Path != tt.is || p.Script != tt.script || p.Foreign {
			t.Errorf("%s: %+v", tt.path, p)
		}
		f := p.Read().Facts()
		if f.File.Path.Value != tt.is || f.File.Installed.Stat.State != facts.Known || f.File.Installed.Stat != f.File.Exe.Stat && f.File.Installed.Stat.Value != f.File.Exe.Stat.Value {
			t.Errorf("%s: %+v %+v", tt.path, f.File.Path, f.File.Installed)
		}
		if args, ok := f.Command.Args.Is(); !ok || len(args) != 1 || args[0] != p.Name() {
			t.Errorf("%s: args %q", tt.path, args)
		}
		if err := p.Mine(); err != nil {
			t.Error(err)
		}
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	}
}

// Whatever a file begins with, its interpreter is one path or there is none.
func FuzzParseHead(f *testing.F) {
	f.Add([]byte("#!/bin/sh -e\n"))
	f.Add([]byte("#! \t/bin/sh\tx"))
	f.Add([]byte("#!\n"))
	f.Add([]byte("\x7fELF\x02"))
	f.Add([]byte("#!" + strings.Repeat("a", headSize-2)))
	f.Fuzz(func(t *testing.T, head []byte) {
		name, err := parseHead(head[:min(len(head), headSize)])
		if err != nil && name != "" || strings.ContainsAny(name, " \t\n\x00") {
			t.Errorf("%q: %q, %v", head, name, err)
		}
	})
}
