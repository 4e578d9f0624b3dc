package program

import (
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"strings"
)

// Libraries are the shared objects that the loader looks for, and where it looks
// first. A program that the kernel marks AT_SECURE loses $ORIGIN there, and
// LD_LIBRARY_PATH (ld.so(8)).
type Libraries struct {
	Needed  []string // DT_NEEDED
	RunPath []string // DT_RUNPATH, or DT_RPATH where that is absent
}

// Origin reports whether the loader is told to look beside the program.
func (l Libraries) Origin() bool { return len(l.Beside("")) > 0 }

// open reads the sections of an ELF file. Package elf is not made for hostile
// files: a panic is an error.
func open(r io.ReaderAt) (f *elf.File, err error) {
	defer func() {
		if p := recover(); p != nil {
			f, err = nil, fmt.Errorf("the ELF file cannot be read: %v", p)
		}
	}()
	return elf.NewFile(r)
}

// ReadLibraries reads what an ELF file tells its loader.
func ReadLibraries(r io.ReaderAt) (Libraries, error) {
	f, err := open(r)
	if err != nil {
		return Libraries{}, err
	}
	return libraries(f)
}

// Beside returns the folders of RunPath that lie where the program does, in that folder.
func (l Libraries) Beside(folder string) []string {
	var all []string
	for _, dir := range l.RunPath {
		if to := strings.NewReplacer("$ORIGIN", folder, "${ORIGIN}", folder).Replace(dir); to != dir {
			all = append(all, to)
		}
	}
	return all
}

func libraries(f *elf.File) (l Libraries, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the ELF file cannot be read: %v", p)
		}
	}()
	if l.Needed, err = f.DynString(elf.DT_NEEDED); err != nil {
		return l, err
	}
	path, errRun := f.DynString(elf.DT_RUNPATH)
	if len(path) == 0 {
		var errOld error
		path, errOld = f.DynString(elf.DT_RPATH)
		errRun = errors.Join(errRun, errOld)
	}
	for _, p := range path {
		l.RunPath = append(l.RunPath, strings.Split(p, ":")...)
	}
	return l, errRun
}
