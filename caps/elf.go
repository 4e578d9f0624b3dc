package caps

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// An elfKind is what the program headers of an ELF file say of it. They are what
// execve(2) goes by, so they are there in a stripped file too.
type elfKind struct {
	loader bool // a dynamic loader: it needs none itself, and has the name of a library
	golang bool // the Go linker wrote its note
}

// From <elf.h>.
const (
	etDyn     = 3
	ptDynamic = 2
	ptInterp  = 3
	ptNote    = 4
	dtSoname  = 14
	goBuildID = 4 // the type of the note
)

// most bounds what is read of one table; the kernel takes 64 KiB of program headers.
const most = 64 << 10

var errNotELF = errors.New("not an ELF file")

func readELF(file io.ReaderAt) (elfKind, error) {
	e := elf{file: file}
	head := e.read(0, 64)
	if len(head) < 52 || string(head[:4]) != "\x7fELF" {
		if e.err == nil {
			e.err = errNotELF
		}
		return elfKind{}, e.err
	}
	e.wide, e.order = head[4] == 2, binary.LittleEndian
	if head[5] == 2 {
		e.order = binary.BigEndian
	}
	var table []byte
	var size int
	if e.wide && len(head) == 64 {
		size = int(e.order.Uint16(head[54:]))
		table = e.read(e.order.Uint64(head[32:]), size*int(e.order.Uint16(head[56:])))
	} else {
		size = int(e.order.Uint16(head[42:]))
		table = e.read(uint64(e.order.Uint32(head[28:])), size*int(e.order.Uint16(head[44:])))
	}
	k := e.kind(table, size)
	k.loader = k.loader && e.order.Uint16(head[16:]) == etDyn
	if e.err != nil {
		return elfKind{}, fmt.Errorf("ELF program headers: %w", e.err)
	}
	return k, nil
}

type elf struct {
	file  io.ReaderAt
	wide  bool // 64 bits
	order binary.ByteOrder
	err   error // the first
}

// read returns up to n bytes at an offset; fewer only at the end of the file.
func (e *elf) read(at uint64, n int) []byte {
	if e.err == nil && (n > most || at > 1<<62) {
		e.err = errors.New("too large")
	}
	if e.err != nil {
		return nil
	}
	b := make([]byte, n)
	n, err := e.file.ReadAt(b, int64(at))
	if err != nil && err != io.EOF {
		e.err = err
	}
	return b[:n]
}

// kind goes through the program headers, each of that size.
func (e *elf) kind(table []byte, size int) (k elfKind) {
	least := 32
	if e.wide {
		least = 56
	}
	if size < least || len(table) < size {
		if e.err == nil {
			e.err = io.ErrUnexpectedEOF
		}
		return k
	}
	interp, soname := false, false
	for ; len(table) >= size; table = table[size:] {
		at, length := uint64(e.order.Uint32(table[4:])), uint64(e.order.Uint32(table[16:]))
		if e.wide {
			at, length = e.order.Uint64(table[8:]), e.order.Uint64(table[32:])
		}
		switch part := int(min(length, most)); e.order.Uint32(table) {
		case ptInterp:
			interp = true
		case ptDynamic:
			soname = soname || e.hasSoname(e.read(at, part))
		case ptNote:
			k.golang = k.golang || e.hasGoNote(e.read(at, part))
		}
	}
	k.loader = soname && !interp
	return k
}

func (e *elf) hasSoname(dynamic []byte) bool {
	size, tag := 8, func(b []byte) uint64 { return uint64(e.order.Uint32(b)) }
	if e.wide {
		size, tag = 16, e.order.Uint64
	}
	for ; len(dynamic) >= size; dynamic = dynamic[size:] {
		if tag(dynamic) == dtSoname {
			return true
		}
	}
	return false
}

func (e *elf) hasGoNote(notes []byte) bool {
	for len(notes) >= 12 {
		name, desc, kind := e.order.Uint32(notes), e.order.Uint32(notes[4:]), e.order.Uint32(notes[8:])
		if kind == goBuildID && len(notes) >= 16 && string(notes[12:16]) == "Go\x00\x00" {
			return true
		}
		next := 12 + (uint64(name)+3)&^3 + (uint64(desc)+3)&^3
		if next > uint64(len(notes)) {
			return false
		}
		notes = notes[next:]
	}
	return false
}
