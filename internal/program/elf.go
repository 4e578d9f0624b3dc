package program

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"io"
)

// Bounds of the kernel's (load_elf_phdrs, load_elf_binary).
const (
	maxHeaders = 65536 // bytes of all program headers
	maxPath    = 4096  // PATH_MAX
)

// readELF reads what execve looks at. What it refuses is an error.
func (f *File) readELF(r io.ReaderAt) error {
	if len(f.Head) < elf.EI_NIDENT {
		return badFormat("the ELF header is cut off")
	}
	f.Class, f.Data = elf.Class(f.Head[elf.EI_CLASS]), elf.Data(f.Head[elf.EI_DATA])
	var order binary.ByteOrder = binary.LittleEndian
	if f.Data == elf.ELFDATA2MSB {
		order = binary.BigEndian
	}
	h, err := readHeader(f.Head, f.Class, order)
	if err != nil {
		return err
	}
	f.Machine = elf.Machine(h.Machine)
	if kind := elf.Type(h.Type); kind != elf.ET_EXEC && kind != elf.ET_DYN {
		return badFormat("the ELF file is neither a program nor a shared object")
	}
	for i := range int64(h.Phnum) {
		p, err := readProg(r, int64(h.Phoff)+i*int64(h.Phentsize), f.Class, order)
		if err != nil {
			return err
		}
		if elf.ProgType(p.Type) == elf.PT_INTERP && f.Interpreter == "" { // the kernel takes the first
			if f.Interpreter, err = readInterp(r, p); err != nil {
				return err
			}
		}
	}
	return nil
}

// readHeader reads an ELF header, of both classes in the form of 64 bits.
func readHeader(head []byte, class elf.Class, order binary.ByteOrder) (h elf.Header64, err error) {
	want := 56 // the size of a program header
	if class == elf.ELFCLASS32 {
		var short elf.Header32
		err = binary.Read(bytes.NewReader(head), order, &short)
		h = elf.Header64{Type: short.Type, Machine: short.Machine, Phoff: uint64(short.Phoff), Phentsize: short.Phentsize, Phnum: short.Phnum}
		want = 32
	} else {
		err = binary.Read(bytes.NewReader(head), order, &h)
	}
	switch {
	case err != nil:
		return h, badFormat("the ELF header is cut off")
	case int(h.Phentsize) != want || h.Phnum == 0 || int(h.Phnum)*want > maxHeaders || int64(h.Phoff) < 0:
		return h, badFormat("the program headers of the ELF file are not ones")
	}
	return h, nil
}

// readProg reads a program header, of both classes in the form of 64 bits.
func readProg(r io.ReaderAt, at int64, class elf.Class, order binary.ByteOrder) (p elf.Prog64, err error) {
	if class == elf.ELFCLASS32 {
		var short elf.Prog32
		err = binary.Read(io.NewSectionReader(r, at, 32), order, &short)
		p = elf.Prog64{Type: short.Type, Off: uint64(short.Off), Filesz: uint64(short.Filesz)}
	} else {
		err = binary.Read(io.NewSectionReader(r, at, 56), order, &p)
	}
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return p, badFormat("the program headers of the ELF file are cut off")
	}
	return p, err
}

// readInterp reads the path of the loader.
func readInterp(r io.ReaderAt, p elf.Prog64) (string, error) {
	if p.Filesz < 2 || p.Filesz > maxPath || int64(p.Off) < 0 {
		return "", badFormat("the path of the ELF file's loader is too long")
	}
	path := make([]byte, p.Filesz)
	if _, err := r.ReadAt(path, int64(p.Off)); err != nil && err != io.EOF {
		return "", err
	}
	path, _, ended := bytes.Cut(path, []byte{0})
	if !ended || len(path) == 0 {
		return "", badFormat("the path of the ELF file's loader is cut off")
	}
	return string(path), nil
}
