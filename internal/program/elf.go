package program

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// Bounds of the kernel's (load_elf_phdrs, load_elf_binary).
const (
	maxHeaders = 65536 // bytes of all program headers
	maxPath    = 4096  // PATH_MAX
)

// elfHeaders are the program headers of an ELF file (elf(5)).
type elfHeaders struct {
	class   elf.Class
	data    elf.Data
	machine elf.Machine
	order   binary.ByteOrder
	progs   []prog
}

// A prog is a program header: what a part of the file is, where it lies there, and to which
// address it is loaded.
type prog struct {
	kind               elf.ProgType
	off, address, size uint64
}

// readELF reads what execve looks at, of a file of that many bytes. What it refuses is an error.
func (f *File) readELF(r io.ReaderAt, size int64) error {
	e, err := readHeaders(r, f.Head)
	if err != nil {
		return err
	}
	f.Class, f.Data, f.Machine = e.class, e.data, e.machine
	if f.Short, err = e.short(size); err != nil {
		return err
	}
	for _, p := range e.progs {
		if p.kind == elf.PT_INTERP { // the kernel takes the first
			f.Interpreter, err = readInterp(r, p)
			return err
		}
	}
	return nil
}

// ErrCutOff is the error of a program that the kernel executes, and that dies of a page that is
// not in the file (SIGBUS, or SIGSEGV if the kernel itself meets it; mmap(2)).
var ErrCutOff = errors.New("the file is cut off")

// short reports whether a part that is loaded (PT_LOAD) ends behind the end of a file of that many
// bytes. It is an error if whole pages are missing: the rest of the last page reads as zero.
func (e elfHeaders) short(size int64) (bool, error) {
	page := uint64(64 << 10) // the largest of any machine
	if e.machine == elf.EM_X86_64 || e.machine == elf.EM_386 {
		page = 4 << 10
	}
	has := uint64(size)
	pages := (has + page - 1) / page * page
	short := false
	for _, p := range e.progs {
		if p.kind != elf.PT_LOAD || p.size == 0 {
			continue
		}
		if p.off > pages || p.size > pages-p.off {
			return true, fmt.Errorf("%w: it has %d bytes, and a part that is loaded ends behind them", ErrCutOff, size)
		}
		short = short || p.off+p.size > has
	}
	return short, nil
}

// readHeaders reads the program headers of a file that begins with head.
func readHeaders(r io.ReaderAt, head []byte) (e elfHeaders, err error) {
	if len(head) < elf.EI_NIDENT || string(head[:len(elf.ELFMAG)]) != elf.ELFMAG {
		return e, badFormat("the ELF header is cut off")
	}
	e.class, e.data, e.order = elf.Class(head[elf.EI_CLASS]), elf.Data(head[elf.EI_DATA]), binary.LittleEndian
	if e.data == elf.ELFDATA2MSB {
		e.order = binary.BigEndian
	}
	length, at, size, want := 64, 32, 54, 56 // of the ELF header, e_phoff, e_phentsize, a program header
	if e.class == elf.ELFCLASS32 {
		length, at, size, want = 52, 28, 42, 32
	}
	if len(head) < length {
		return e, badFormat("the ELF header is cut off")
	}
	kind := elf.Type(e.order.Uint16(head[16:]))
	e.machine = elf.Machine(e.order.Uint16(head[18:]))
	off, n := e.word(head[at:]), int(e.order.Uint16(head[size+2:]))
	switch {
	case int(e.order.Uint16(head[size:])) != want || n == 0 || n*want > maxHeaders || int64(off) < 0:
		return e, badFormat("the program headers of the ELF file are not ones")
	case kind != elf.ET_EXEC && kind != elf.ET_DYN:
		return e, badFormat("the ELF file is neither a program nor a shared object")
	}
	table := make([]byte, n*want)
	if got, err := r.ReadAt(table, int64(off)); got < len(table) {
		if err == io.EOF {
			err = badFormat("the program headers of the ELF file are cut off")
		}
		return e, err
	}
	for ; len(table) > 0; table = table[want:] {
		e.progs = append(e.progs, e.prog(table))
	}
	return e, nil
}

// prog reads a program header, which is laid out differently in each class.
func (e elfHeaders) prog(b []byte) prog {
	p := prog{kind: elf.ProgType(e.order.Uint32(b))}
	if e.class == elf.ELFCLASS32 {
		p.off, p.address, p.size = e.word(b[4:]), e.word(b[8:]), e.word(b[16:])
	} else {
		p.off, p.address, p.size = e.word(b[8:]), e.word(b[16:]), e.word(b[32:])
	}
	return p
}

// word reads a word of the file's class.
func (e elfHeaders) word(b []byte) uint64 {
	if e.class == elf.ELFCLASS32 {
		return uint64(e.order.Uint32(b))
	}
	return e.order.Uint64(b)
}

// readInterp reads the path of the loader.
func readInterp(r io.ReaderAt, p prog) (string, error) {
	if p.size < 2 || p.size > maxPath || int64(p.off) < 0 {
		return "", badFormat("the path of the ELF file's loader is too long")
	}
	path := make([]byte, p.size)
	if _, err := r.ReadAt(path, int64(p.off)); err != nil && err != io.EOF {
		return "", err
	}
	path, _, ended := bytes.Cut(path, []byte{0})
	if !ended || len(path) == 0 {
		return "", badFormat("the path of the ELF file's loader is cut off")
	}
	return string(path), nil
}
