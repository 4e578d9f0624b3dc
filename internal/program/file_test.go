package program

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

func readFile(t *testing.T, path string) File {
	t.Helper()
	f, err := tryFile(t, path)
	if err != nil {
		t.Fatal(path, err)
	}
	return f
}

func tryFile(t *testing.T, path string) (File, error) {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		t.Fatal(err)
	}
	return Read(file, info.Size())
}

func goBuild(t *testing.T, pkg string, flags ...string) string {
	t.Helper()
	out := filepath.Join(t.TempDir(), "program")
	cmd := exec.Command("go", append(append([]string{"build", "-o", out}, flags...), pkg)...)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux")
	if msg, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %v\n%s", cmd, err, msg)
	}
	return out
}

// A Go program shows whether it has the guard, stripped or not.
func TestGuard(t *testing.T) {
	for _, tt := range []struct {
		pkg     string
		flags   []string
		raise   bool
		inherit Answer[bool]
	}{
		{"./testdata/plain", nil, false, Answer[bool]{}},
		{"./testdata/plain", []string{"-ldflags=-s -w"}, false, Answer[bool]{}},
		{"../../examples/server", nil, true, Answer[bool]{Value: true}},
		{"../../examples/server", []string{"-ldflags=-s -w", "-trimpath"}, true, Answer[bool]{Value: true}},
		{"../lab/plain", nil, false, Answer[bool]{Why: "the program knows LISTEN_FDS, and may take the socket or not"}}, // guard.Explain alone
	} {
		f := readFile(t, goBuild(t, tt.pkg, tt.flags...))
		if !Is(f.Does.Raise, tt.raise) || f.Does.Inherit != tt.inherit {
			t.Errorf("%s %q: %+v", tt.pkg, tt.flags, f.Does)
		}
		if f.Format != ELF || !f.Go.Known() || f.Go.Value.Cgo || f.Interpreter != "" {
			t.Errorf("%s %q: %+v", tt.pkg, tt.flags, f)
		}
	}
}

// What has parts of what raises, or knows of LISTEN_FDS, may do so.
func TestDoes(t *testing.T) {
	plain := Answer[Build]{}
	libs := func(names ...string) Answer[Libraries] { return Answer[Libraries]{Value: Libraries{Needed: names}} }
	for _, tt := range []struct {
		text           string
		build          Answer[Build]
		libs           Answer[Libraries]
		raise, inherit string // part of why it cannot be told
	}{
		{"nothing of the kind", plain, libs("libc.so.6"), "", ""},
		{"x LISTEN_FDS x", plain, libs(), "", "LISTEN_FDS"},
		{"x", plain, libs("libsystemd.so.0"), "", "libsystemd"},
		{"cap_set_proc", plain, libs(), "cap_set_proc", ""},
		{"github.com/lowport/lowport/privport.claim", Answer[Build]{Value: Build{Main: "x", Modules: []string{"x"}}}, libs(), "guard", "LISTEN_FDS"},
		{"github.com/lowport/lowport/privport.raiseThread", plain, libs(), "guard", ""},
		{"github.com/lowport/lowport/guard.Explain", plain, libs(), "", ""}, // it binds by itself
		{"x", Answer[Build]{Why: "obfuscated"}, libs(), "obfuscated", ""},
		{"x", plain, Answer[Libraries]{Why: "broken"}, "broken", "broken"},
		{strings.Repeat("-", 1<<20-3) + "LISTEN_FDS", plain, libs(), "", "LISTEN_FDS"},
	} {
		d := does(strings.NewReader(tt.text), tt.build, tt.libs)
		for what, pair := range map[string][2]string{"raise": {d.Raise.Why, tt.raise}, "inherit": {d.Inherit.Why, tt.inherit}} {
			if got, want := pair[0], pair[1]; !strings.Contains(got, want) || (got == "") != (want == "") {
				t.Errorf("%.40q: %s: %q, want %q", tt.text, what, got, want)
			}
		}
		if d.Raise.Value || d.Inherit.Value {
			t.Errorf("%.40q: %+v", tt.text, d)
		}
	}
}

// The programs of this machine, and its loader.
func TestMachine(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the programs of this system are not ELF files")
	}
	name, err := exec.Command("uname", "-m").Output()
	if err != nil {
		t.Fatal(err)
	}
	f := readFile(t, "/bin/sh")
	if !Is(f.Fits(strings.TrimSpace(string(name))), true) {
		t.Errorf("/bin/sh does not fit %s: %+v", name, f)
	}
	if f.Interpreter == "" {
		t.Skip("the shell of this machine is static")
	}
	if !f.Libraries.Known() || len(f.Libraries.Value.Needed) == 0 || f.Libraries.Value.Origin() {
		t.Errorf("/bin/sh: %+v", f.Libraries)
	}
}

// image is a small ELF file of 64 bits with one program header.
func image(machine elf.Machine, kind elf.Type, prog elf.Prog64, rest string) []byte {
	var b bytes.Buffer
	h := elf.Header64{Type: uint16(kind), Machine: uint16(machine), Version: 1, Phoff: 64, Phentsize: 56, Phnum: 1, Ehsize: 64}
	copy(h.Ident[:], elf.ELFMAG)
	h.Ident[elf.EI_CLASS], h.Ident[elf.EI_DATA], h.Ident[elf.EI_VERSION] = byte(elf.ELFCLASS64), byte(elf.ELFDATA2LSB), 1
	_ = binary.Write(&b, binary.LittleEndian, h)
	_ = binary.Write(&b, binary.LittleEndian, prog)
	b.WriteString(rest)
	return b.Bytes()
}

func interp(path string) elf.Prog64 {
	return elf.Prog64{Type: uint32(elf.PT_INTERP), Off: 64 + 56, Filesz: uint64(len(path))}
}

func TestELF(t *testing.T) {
	for _, tt := range []struct {
		name  string
		bytes []byte
		want  string // the loader, or part of the error
	}{
		{"loader", image(elf.EM_AARCH64, elf.ET_DYN, interp("/lib/ld\x00"), "/lib/ld\x00"), "/lib/ld"},
		{"static", image(elf.EM_AARCH64, elf.ET_EXEC, elf.Prog64{Type: uint32(elf.PT_LOAD)}, ""), ""},
		{"object", image(elf.EM_X86_64, elf.ET_REL, elf.Prog64{}, ""), "neither"},
		{"no end", image(elf.EM_X86_64, elf.ET_DYN, interp("/lib/ld"), "/lib/ld"), "cut off"},
		{"long", image(elf.EM_X86_64, elf.ET_DYN, elf.Prog64{Type: uint32(elf.PT_INTERP), Filesz: 1 << 40}, ""), "too long"},
		{"short", image(elf.EM_X86_64, elf.ET_DYN, elf.Prog64{}, "")[:80], "cut off"},
		{"header", []byte(elf.ELFMAG + "\x02\x01\x01"), "cut off"},
		{"magic", []byte(elf.ELFMAG), "cut off"},
	} {
		f, err := Read(bytes.NewReader(tt.bytes), int64(len(tt.bytes)))
		switch {
		case err == nil && f.Interpreter != tt.want:
			t.Errorf("%s: %q, want %q", tt.name, f.Interpreter, tt.want)
		case err != nil && (!errors.Is(err, ErrFormat) || tt.want == "" || !strings.Contains(err.Error(), tt.want)):
			t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
		}
	}
}

func TestFits(t *testing.T) {
	arm := File{Class: elf.ELFCLASS64, Data: elf.ELFDATA2LSB, Machine: elf.EM_AARCH64}
	i386 := File{Class: elf.ELFCLASS32, Data: elf.ELFDATA2LSB, Machine: elf.EM_386}
	if !Is(arm.Fits("aarch64"), true) || !Is(arm.Fits("x86_64"), false) || arm.Fits("vax").Known() {
		t.Error("aarch64")
	}
	if i386.Fits("x86_64").Known() || !Is(i386.Fits("i686"), true) || !Is(i386.Fits("aarch64"), false) {
		t.Error("i386")
	}
	if got := arm.Foreign("x86_64"); got != "the program is built for aarch64, and this machine is x86_64" {
		t.Error(got)
	}
	if got := i386.Foreign("aarch64"); !strings.Contains(got, "i686") {
		t.Error(got)
	}
}

func TestScriptLine(t *testing.T) {
	for _, tt := range []struct {
		head, name, arg string
		ok              bool
	}{
		{"#!/bin/sh\nx", "/bin/sh", "", true},
		{"#! \t/bin/sh -e -u \nx", "/bin/sh", "-e -u", true},
		{"#!/usr/bin/env python3", "/usr/bin/env", "python3", true},
		{"#!/bin/sh\r\nx", "/bin/sh\r", "", true},
		{"#!/bin/sh\x00 -e\n", "/bin/sh", "", true},
		{"#!\n/bin/sh", "", "", false},
		{"#!", "", "", false},
		{"#!" + strings.Repeat("a", headSize-2), "", "", false},
		{"#!/bin/sh " + strings.Repeat("a", headSize-10), "/bin/sh", strings.Repeat("a", headSize-10), true},
	} {
		name, arg, err := scriptLine([]byte(tt.head))
		if name != tt.name || arg != tt.arg || (err == nil) != tt.ok {
			t.Errorf("%q: %q, %q, %v", tt.head, name, arg, err)
		}
	}
}

func TestEmulator(t *testing.T) {
	const entry = "enabled\ninterpreter /usr/libexec/qemu-binfmt/aarch64\nflags: POCF\noffset 0\n" +
		"magic 7f454c460201010000000000000000000200b700\nmask ffffffffffffff00fffffffffffffffffeffffff\n"
	e, on, err := ParseEmulator("qemu-aarch64", []byte(entry))
	if !on || err != nil || !e.Credentials || !e.Fixed {
		t.Fatalf("%+v, %v, %v", e, on, err)
	}
	arm := image(elf.EM_AARCH64, elf.ET_DYN, elf.Prog64{}, "")
	if !e.Takes(arm, "x") || e.Takes(image(elf.EM_X86_64, elf.ET_EXEC, elf.Prog64{}, ""), "x") || e.Takes(arm[:4], "x") {
		t.Error("the magic is not compared")
	}
	e, on, err = ParseEmulator("jar", []byte("enabled\ninterpreter /usr/bin/jexec\nflags: \nextension .jar\n"))
	if !on || err != nil || !e.Takes(nil, "a.jar") || e.Takes(nil, "a.war") {
		t.Errorf("%+v, %v, %v", e, on, err)
	}
	if _, on, err = ParseEmulator("x", []byte("disabled\ninterpreter /x\nflags: \nextension .x\n")); on || err != nil {
		t.Error("a disabled emulator is one")
	}
	for _, bad := range []string{"enabled\n", "enabled\ninterpreter /x\noffset q\n", "enabled\ninterpreter /x\nmagic 7\n", "enabled\ninterpreter /x\noffset 0\nmagic 7f45\nmask ff\n"} {
		if _, _, err := ParseEmulator("x", []byte(bad)); err == nil {
			t.Errorf("%q is an emulator", bad)
		}
	}
}

// Whatever a file holds, it is read or refused.
func FuzzRead(f *testing.F) {
	f.Add(image(elf.EM_X86_64, elf.ET_DYN, interp("/lib/ld\x00"), "/lib/ld\x00"))
	f.Add([]byte("#!/bin/sh -e\n"))
	if b, err := os.ReadFile("/bin/true"); err == nil {
		f.Add(slices.Clip(b[:min(len(b), 1<<16)]))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		file, err := Read(bytes.NewReader(b), int64(len(b)))
		if err == nil && file.Format == Script && file.Interpreter == "" {
			t.Error("a script without an interpreter")
		}
		if strings.ContainsRune(file.Interpreter, 0) {
			t.Errorf("%q", file.Interpreter)
		}
	})
}

// The last setting of $GODEBUG counts.
func TestListensMPTCP(t *testing.T) {
	for godebug, want := range map[string][2]bool{ // with and without it by default
		"": {true, false}, "multipathtcp=0": {false, false}, "x=1,multipathtcp=1": {true, true}, "multipathtcp=2": {true, true},
		"multipathtcp=3": {false, false}, "multipathtcp=0,multipathtcp=2": {true, true}, "mptcp=0": {true, false},
	} {
		if got := [2]bool{ListensMPTCP(godebug, true), ListensMPTCP(godebug, false)}; got != want {
			t.Errorf("%q: %v, want %v", godebug, got, want)
		}
	}
}
