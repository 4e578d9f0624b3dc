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

// What a program that is all Go tells systemd its file shows; a library may do it for another.
func TestNotifies(t *testing.T) {
	all := Answer[Build]{Value: Build{Main: "x", Modules: []string{module}}}
	cgo := Answer[Build]{Value: Build{Main: "x", Cgo: true}}
	for _, tt := range []struct {
		text         string
		build        Answer[Build]
		value, known bool
	}{
		{"x", all, false, true}, {binds, all, false, true}, {binds + " NOTIFY_SOCKET", all, true, true}, {"systemd-notify", all, true, true},
		{"x", cgo, false, false}, {"x", Answer[Build]{}, false, false}, {"x", Answer[Build]{Why: "obfuscated"}, false, false},
		{"NOTIFY_SOCKET", Answer[Build]{}, true, true},
	} {
		if d := does(strings.NewReader(tt.text), tt.build, Answer[Libraries]{}); d.Notify.Value != tt.value || d.Notify.Known() != tt.known {
			t.Errorf("%q, %+v: %+v", tt.text, tt.build, d.Notify)
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

// A program of which a page that is loaded is not in the file dies of that. What is only not in
// the last page reads as zero, which a program may survive.
func TestCutOff(t *testing.T) {
	for _, tt := range []struct {
		name       string
		machine    elf.Machine
		off, bytes uint64 // of the part that is loaded
		size       int    // of the file
		dies       bool
		short      bool
	}{
		{"whole", elf.EM_X86_64, 0, 9000, 9000, false, false},
		{"more behind it", elf.EM_X86_64, 0, 9000, 20000, false, false},
		{"half", elf.EM_X86_64, 0, 9000, 4500, true, true},
		{"a page less one byte", elf.EM_X86_64, 0, 8193, 8192, true, true},
		{"within the last page", elf.EM_X86_64, 0, 8192, 8191, false, true},
		{"behind the end", elf.EM_X86_64, 1 << 20, 1, 4096, true, true},
		{"nothing in the file", elf.EM_X86_64, 1 << 20, 0, 4096, false, false},
		{"beyond 64 bits", elf.EM_X86_64, 1<<64 - 4096, 8192, 4096, true, true},
		{"too long", elf.EM_X86_64, 4096, 1<<64 - 4096, 8192, true, true},
		{"within a large page", elf.EM_AARCH64, 0, 60000, 9000, false, true},
		{"a large page less", elf.EM_AARCH64, 0, 70000, 60000, true, true},
	} {
		load := elf.Prog64{Type: uint32(elf.PT_LOAD), Off: tt.off, Filesz: tt.bytes}
		b := image(tt.machine, elf.ET_EXEC, load, "")
		b = append(b, make([]byte, tt.size-len(b))...)
		f, err := Read(bytes.NewReader(b), int64(len(b)))
		if errors.Is(err, ErrCutOff) != tt.dies || err != nil && !tt.dies || f.Short != tt.short {
			t.Errorf("%s: short %t, %v", tt.name, f.Short, err)
		}
	}
}

// The libraries are those that package elf of the standard library finds by the section
// headers: of the programs and libraries of this machine.
func TestLibraries(t *testing.T) {
	var files []string
	for _, pattern := range []string{"/usr/bin/*", "/usr/sbin/*", "/usr/lib/*/*.so*", "/usr/lib/*/*/*.so"} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, found[:min(len(found), 300)]...)
	}
	compared, paths := 0, 0
	for _, path := range files {
		f, err := elf.Open(path)
		if err != nil || f.Type != elf.ET_EXEC && f.Type != elf.ET_DYN || len(f.Progs) == 0 {
			continue
		}
		var want Libraries
		want.Needed, err = f.DynString(elf.DT_NEEDED)
		dirs, errPath := f.DynString(elf.DT_RUNPATH)
		if len(dirs) == 0 && errPath == nil {
			dirs, errPath = f.DynString(elf.DT_RPATH)
		}
		for _, d := range dirs {
			want.RunPath = append(want.RunPath, strings.Split(d, ":")...)
		}
		f.Close()
		if err = errors.Join(err, errPath); err != nil {
			t.Fatal(path, err)
		}
		file, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		got, err := ReadLibraries(file)
		file.Close()
		if err != nil || !slices.Equal(got.Needed, want.Needed) || !slices.Equal(got.RunPath, want.RunPath) {
			t.Errorf("%s: %+v, %v, want %+v", path, got, err, want)
		}
		compared++
		paths += len(want.RunPath)
	}
	t.Logf("%d files, %d folders", compared, paths)
	if compared == 0 {
		t.Skip("this machine has no ELF files")
	}
}

// dynamic is an ELF file, of either class and byte order, whose dynamic section and strings
// are loaded at the address 4096.
func dynamic(class elf.Class, order binary.ByteOrder, entries []dyn, table string) []byte {
	data := elf.ELFDATA2LSB
	if order == binary.BigEndian {
		data = elf.ELFDATA2MSB
	}
	ident := [16]byte{0: elf.ELFMAG[0], 'E', 'L', 'F', byte(class), byte(data), 1}
	var section, b bytes.Buffer
	put := func(to *bytes.Buffer, values ...any) {
		for _, v := range values {
			_ = binary.Write(to, order, v)
		}
	}
	for _, d := range entries {
		if class == elf.ELFCLASS32 {
			put(&section, elf.Dyn32{Tag: int32(d.tag), Val: uint32(d.value)})
		} else {
			put(&section, elf.Dyn64{Tag: int64(d.tag), Val: d.value})
		}
	}
	size := section.Len()
	if class == elf.ELFCLASS32 {
		const at = 52 + 2*32
		put(&b, elf.Header32{Ident: ident, Type: uint16(elf.ET_DYN), Phoff: 52, Phentsize: 32, Phnum: 2},
			elf.Prog32{Type: uint32(elf.PT_LOAD), Off: at, Vaddr: 4096, Filesz: uint32(size + len(table))},
			elf.Prog32{Type: uint32(elf.PT_DYNAMIC), Off: at, Vaddr: 4096, Filesz: uint32(size)})
	} else {
		const at = 64 + 2*56
		put(&b, elf.Header64{Ident: ident, Type: uint16(elf.ET_DYN), Phoff: 64, Phentsize: 56, Phnum: 2},
			elf.Prog64{Type: uint32(elf.PT_LOAD), Off: at, Vaddr: 4096, Filesz: uint64(size + len(table))},
			elf.Prog64{Type: uint32(elf.PT_DYNAMIC), Off: at, Vaddr: 4096, Filesz: uint64(size)})
	}
	return append(append(b.Bytes(), section.Bytes()...), table...)
}

func TestDynamic(t *testing.T) {
	const table = "\x00libc.so.6\x00$ORIGIN/lib:/opt/lib\x00unended"
	for _, tt := range []struct {
		what    string
		entries func(table uint64) []dyn
		needed  []string
		runPath []string
		fails   bool
	}{
		{"both", func(at uint64) []dyn {
			return []dyn{{elf.DT_NEEDED, 1}, {elf.DT_RUNPATH, 11}, {elf.DT_STRTAB, at}, {elf.DT_STRSZ, uint64(len(table))}}
		}, []string{"libc.so.6"}, []string{"$ORIGIN/lib", "/opt/lib"}, false},
		{"the old path", func(at uint64) []dyn {
			return []dyn{{elf.DT_RPATH, 11}, {elf.DT_STRTAB, at}, {elf.DT_STRSZ, uint64(len(table))}}
		}, nil, []string{"$ORIGIN/lib", "/opt/lib"}, false},
		{"behind the end", func(at uint64) []dyn {
			return []dyn{{elf.DT_STRTAB, at}, {elf.DT_STRSZ, uint64(len(table))}, {elf.DT_NULL, 0}, {elf.DT_NEEDED, 1}}
		}, nil, nil, false},
		{"nothing", func(uint64) []dyn { return nil }, nil, nil, false},
		{"no strings", func(uint64) []dyn { return []dyn{{elf.DT_NEEDED, 1}} }, nil, nil, true},
		{"outside of the strings", func(at uint64) []dyn {
			return []dyn{{elf.DT_NEEDED, uint64(len(table))}, {elf.DT_STRTAB, at}, {elf.DT_STRSZ, uint64(len(table))}}
		}, nil, nil, true},
		{"a string without an end", func(at uint64) []dyn {
			return []dyn{{elf.DT_NEEDED, 32}, {elf.DT_STRTAB, at}, {elf.DT_STRSZ, uint64(len(table))}}
		}, nil, nil, true},
		{"strings that are not loaded", func(at uint64) []dyn {
			return []dyn{{elf.DT_NEEDED, 1}, {elf.DT_STRTAB, at - 4096}, {elf.DT_STRSZ, uint64(len(table))}}
		}, nil, nil, true},
	} {
		for _, class := range []elf.Class{elf.ELFCLASS32, elf.ELFCLASS64} {
			for _, order := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
				entry := map[elf.Class]int{elf.ELFCLASS32: 8, elf.ELFCLASS64: 16}[class]
				at := 4096 + uint64(entry*len(tt.entries(0)))
				l, err := ReadLibraries(bytes.NewReader(dynamic(class, order, tt.entries(at), table)))
				if (err != nil) != tt.fails || !slices.Equal(l.Needed, tt.needed) || !slices.Equal(l.RunPath, tt.runPath) {
					t.Errorf("%s, %v, %v: %+v, %v", tt.what, class, order, l, err)
				}
				if err != nil && !errors.Is(err, ErrFormat) {
					t.Errorf("%s: %v is of another kind", tt.what, err)
				}
			}
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
	f.Add(dynamic(elf.ELFCLASS32, binary.BigEndian, []dyn{{elf.DT_NEEDED, 1}, {elf.DT_STRTAB, 4096 + 24}, {elf.DT_STRSZ, 4}}, "\x00so\x00"))
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
		if strings.ContainsRune(strings.Join(file.Libraries.Value.Needed, ""), 0) {
			t.Errorf("%q", file.Libraries)
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
