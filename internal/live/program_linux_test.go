package live

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lowport/lowport/internal/facts"
	format "github.com/lowport/lowport/internal/program"
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
	self, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	program := write("program", string(self), 0o755)
	script := write("script", "#! "+program+" -x\n", 0o755)
	link := filepath.Join(dir, "link")
	if err := os.Symlink("script", link); err != nil {
		t.Fatal(err)
	}
	foreign := []byte("\x7fELF\x02\x01\x01" + strings.Repeat("\x00", 9) + "\x03\x00\xff\x7f\x01\x00\x00\x00" + strings.Repeat("\x00", 8) +
		"\x40" + strings.Repeat("\x00", 21) + "\x38\x00\x01\x00" + strings.Repeat("\x00", 6+56)) // of a machine that does not exist
	for _, tt := range []struct {
		path, is, interpreter string
		err                   error
	}{
		{program, program, "", nil},
		{script, script, program, nil},
		{link, script, program, nil},
		{filepath.Join(dir, "none"), "", "", fs.ErrNotExist},
		{dir, "", "", fs.ErrPermission},
		{write("text", "\x7fELF", 0o644), "", "", fs.ErrPermission},
		{write("garbage", "garbage", 0o755), "", "", unix.ENOEXEC},
		{write("empty", "", 0o755), "", "", unix.ENOEXEC},
		{write("short", "\x7fELF...", 0o755), "", "", unix.ENOEXEC},
		{write("foreign", string(foreign), 0o755), "", "", unix.ENOEXEC},
		{write("loaderless", string(noLoader(t)), 0o755), "", "", fs.ErrNotExist},
	} {
		p, err := Open(tt.path)
		if strings.Contains(p.Unsure, "emulator") && tt.err == unix.ENOEXEC { // of a container, which does not see binfmt_misc
			continue
		}
		if !errors.Is(err, tt.err) {
			t.Errorf("%s: %v, want %v", tt.path, err, tt.err)
		}
		if tt.err != nil || err != nil {
			continue
		}
		interpreter := ""
		if p.File.Format == format.Script {
			interpreter = p.File.Interpreter
		}
		if p.Path != tt.is || interpreter != tt.interpreter || p.Foreign || p.Unsure != "" {
			t.Errorf("%s: %+v", tt.path, p)
		}
		f := p.Read().Facts()
		if f.File.Path.Value != tt.is || f.File.Installed.Stat.State != facts.Known || f.File.Installed.Stat.Value != f.File.Exe.Stat.Value || f.File.Installed != p.Image() {
			t.Errorf("%s: %+v %+v", tt.path, f.File.Path, f.File.Installed)
		}
		if err := p.Mine(); err != nil {
			t.Error(err)
		}
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	}
}

// noLoader is a program of this machine whose loader does not exist.
func noLoader(t *testing.T) []byte {
	t.Helper()
	self, err := elf.Open("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	defer self.Close()
	const loader = "/nonexistent/ld.so\x00"
	var b bytes.Buffer
	if self.Class == elf.ELFCLASS64 {
		h := elf.Header64{Type: uint16(elf.ET_DYN), Machine: uint16(self.Machine), Version: 1, Phoff: 64, Phentsize: 56, Phnum: 1, Ehsize: 64}
		h.Ident = [16]byte{0x7f, 'E', 'L', 'F', byte(self.Class), byte(self.Data), 1}
		err = errors.Join(binary.Write(&b, self.ByteOrder, h), binary.Write(&b, self.ByteOrder, elf.Prog64{Type: uint32(elf.PT_INTERP), Off: 120, Filesz: uint64(len(loader))}))
	} else {
		h := elf.Header32{Type: uint16(elf.ET_DYN), Machine: uint16(self.Machine), Version: 1, Phoff: 52, Phentsize: 32, Phnum: 1, Ehsize: 52}
		h.Ident = [16]byte{0x7f, 'E', 'L', 'F', byte(self.Class), byte(self.Data), 1}
		err = errors.Join(binary.Write(&b, self.ByteOrder, h), binary.Write(&b, self.ByteOrder, elf.Prog32{Type: uint32(elf.PT_INTERP), Off: 84, Filesz: uint32(len(loader))}))
	}
	if err != nil {
		t.Fatal(err)
	}
	return append(b.Bytes(), loader...)
}
