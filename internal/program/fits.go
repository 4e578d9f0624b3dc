package program

import (
	"bufio"
	"bytes"
	"debug/elf"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
)

// A native is what a kernel executes itself (elf_check_arch, compat_elf_check_arch).
type native struct {
	machine elf.Machine
	class   elf.Class
	data    elf.Data
	compat  elf.Machine // of 32 bits, where the kernel was built with that; EM_NONE for none
}

// natives are the machines that uname(2) names.
var natives = map[string]native{
	"x86_64":      {elf.EM_X86_64, elf.ELFCLASS64, elf.ELFDATA2LSB, elf.EM_386},
	"aarch64":     {elf.EM_AARCH64, elf.ELFCLASS64, elf.ELFDATA2LSB, elf.EM_ARM},
	"i686":        {elf.EM_386, elf.ELFCLASS32, elf.ELFDATA2LSB, elf.EM_NONE},
	"armv6l":      {elf.EM_ARM, elf.ELFCLASS32, elf.ELFDATA2LSB, elf.EM_NONE},
	"armv7l":      {elf.EM_ARM, elf.ELFCLASS32, elf.ELFDATA2LSB, elf.EM_NONE},
	"riscv64":     {elf.EM_RISCV, elf.ELFCLASS64, elf.ELFDATA2LSB, elf.EM_RISCV},
	"loongarch64": {elf.EM_LOONGARCH, elf.ELFCLASS64, elf.ELFDATA2LSB, elf.EM_NONE},
	"ppc64le":     {elf.EM_PPC64, elf.ELFCLASS64, elf.ELFDATA2LSB, elf.EM_NONE},
	"ppc64":       {elf.EM_PPC64, elf.ELFCLASS64, elf.ELFDATA2MSB, elf.EM_PPC},
	"s390x":       {elf.EM_S390, elf.ELFCLASS64, elf.ELFDATA2MSB, elf.EM_S390},
}

// Fits reports whether a kernel of the machine that uname(2) names executes the ELF
// file itself. Of programs of 32 bits on a machine of 64 that depends on how the
// kernel was built.
func (f File) Fits(machine string) Answer[bool] {
	n, ok := natives[machine]
	switch {
	case !ok:
		return Answer[bool]{Why: "what a machine of the kind " + machine + " executes is not known"}
	case f.Machine == n.machine && f.Class == n.class && f.Data == n.data:
		return Answer[bool]{Value: true}
	case n.compat != elf.EM_NONE && f.Machine == n.compat && f.Class == elf.ELFCLASS32 && f.Data == n.data:
		return Answer[bool]{Why: "whether this kernel executes programs of 32 bits is not known"}
	}
	return Answer[bool]{}
}

// Names of machines for people, as uname(2) has them.
func (f File) machineName() string {
	for name, n := range natives {
		if f.Machine == n.machine && f.Class == n.class && f.Data == n.data && name != "armv6l" {
			return name
		}
	}
	return fmt.Sprintf("%s, %s", strings.TrimPrefix(f.Machine.String(), "EM_"), strings.TrimPrefix(f.Class.String(), "ELF"))
}

// Foreign says what an ELF file is that this machine does not execute.
func (f File) Foreign(machine string) string {
	return fmt.Sprintf("the program is built for %s, and this machine is %s", f.machineName(), machine)
}

// An Emulator is what binfmt_misc executes files of a kind with.
type Emulator struct {
	Name        string
	Interpreter string
	Credentials bool // flag C: the capabilities and set-ID bits of the file count, not the interpreter's
	Fixed       bool // flag F: the interpreter was opened when it was registered

	offset      int
	magic, mask []byte
	extension   string
}

// ParseEmulator reads an entry of /proc/sys/fs/binfmt_misc. One that is disabled is none.
func ParseEmulator(name string, entry []byte) (e Emulator, enabled bool, err error) {
	e.Name = name
	for scan := bufio.NewScanner(bytes.NewReader(entry)); scan.Scan(); {
		key, value, _ := strings.Cut(scan.Text(), " ")
		switch key {
		case "enabled":
			enabled = true
		case "interpreter":
			e.Interpreter = value
		case "flags:":
			e.Credentials, e.Fixed = strings.Contains(value, "C"), strings.Contains(value, "F")
		case "extension":
			e.extension = value
		case "offset":
			e.offset, err = strconv.Atoi(value)
		case "magic":
			e.magic, err = hex.DecodeString(value)
		case "mask":
			e.mask, err = hex.DecodeString(value)
		}
		if err != nil {
			return e, false, fmt.Errorf("binfmt_misc %s: %w", name, err)
		}
	}
	if enabled && (e.Interpreter == "" || len(e.magic) == 0 && e.extension == "" || e.mask != nil && len(e.mask) != len(e.magic) || e.offset < 0) {
		return e, false, fmt.Errorf("binfmt_misc %s: it names no interpreter or no kind of file", name)
	}
	return e, enabled, nil
}

// Takes reports whether the emulator takes a file with these first bytes and that name
// (search_binfmt_handler of binfmt_misc).
func (e Emulator) Takes(head []byte, path string) bool {
	if e.extension != "" {
		return strings.HasSuffix(path, e.extension)
	}
	if len(head) < e.offset+len(e.magic) {
		head = append(bytes.Clone(head), make([]byte, headSize)...) // the kernel's buffer is zeroed
	}
	if len(head) < e.offset+len(e.magic) {
		return false
	}
	for i, want := range e.magic {
		got := head[e.offset+i]
		if e.mask != nil {
			got &= e.mask[i]
			want &= e.mask[i]
		}
		if got != want {
			return false
		}
	}
	return true
}
