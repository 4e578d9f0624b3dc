package program

import (
	"bytes"
	"debug/elf"
	"fmt"
	"io"
	"syscall"
)

// A Format is how the kernel executes a file.
type Format uint8

const (
	Unknown Format = iota // neither of these: ENOEXEC, unless binfmt_misc knows it
	Script                // "#!" and an interpreter
	ELF
)

// A File is an executable file as execve(2) and the loader read it.
type File struct {
	Format      Format
	Interpreter string // of a script what "#!" names; of an ELF file its loader (PT_INTERP), "" for a static one
	Argument    string // of a script, what stands behind the interpreter, one word to the kernel
	Head        []byte // its first bytes, by which binfmt_misc tells formats apart

	Class   elf.Class
	Data    elf.Data
	Machine elf.Machine
	Short   bool // the last page of what is loaded is not all in the file, and zero where it is not

	Libraries Answer[Libraries]
	Go        Answer[Build]
	Does      Does
}

// An Answer is what was read of a file, or why it could not be told.
type Answer[T any] struct {
	Value T
	Why   string // why it could not be told; "" where Value holds
}

// Known reports whether the value holds.
func (a Answer[T]) Known() bool { return a.Why == "" }

// Is reports whether the answer is known, and this one.
func Is[T comparable](a Answer[T], v T) bool { return a.Known() && a.Value == v }

func unsure[T any](err error) Answer[T] { return Answer[T]{Why: err.Error()} }

// headSize is BINPRM_BUF_SIZE: what the kernel looks at to tell a file's format.
const headSize = 256

// ErrFormat is the error of a file that no loader of the kernel takes: ENOEXEC.
var ErrFormat error = syscall.ENOEXEC

// Read reads a file of that many bytes. It is an error if the kernel would not
// execute it, whatever the machine, if it would die of what is cut off, or if it cannot be read.
func Read(r io.ReaderAt, size int64) (File, error) {
	head := make([]byte, headSize)
	n, err := r.ReadAt(head, 0)
	if err != nil && err != io.EOF {
		return File{}, err
	}
	f := File{Head: head[:n]}
	switch {
	case bytes.HasPrefix(f.Head, []byte(elf.ELFMAG)):
		f.Format = ELF
		if err := f.readELF(r, size); err != nil {
			return f, err
		}
		f.look(r, size)
		return f, nil
	case bytes.HasPrefix(f.Head, []byte("#!")):
		f.Format = Script
		if f.Interpreter, f.Argument, err = scriptLine(f.Head); err != nil {
			return f, err
		}
		return f, nil
	}
	return f, nil
}

func badFormat(why string) error { return fmt.Errorf("%w: %s", ErrFormat, why) }
