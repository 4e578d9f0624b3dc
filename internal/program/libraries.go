package program

import (
	"bufio"
	"debug/elf"
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

// Bounds of what is read of a file; real ones are far below.
const (
	maxDynamic = 64 << 10 // bytes of the dynamic section
	maxString  = 64 << 10 // bytes of a name or of a list of folders
)

// ReadLibraries reads what an ELF file tells its loader: the dynamic section, by the program
// headers, as the loader finds it too.
func ReadLibraries(r io.ReaderAt) (l Libraries, err error) {
	head := make([]byte, headSize)
	n, err := r.ReadAt(head, 0)
	if err != nil && err != io.EOF {
		return l, err
	}
	e, err := readHeaders(r, head[:n])
	if err != nil {
		return l, err
	}
	all, err := e.dynamic(r)
	if err != nil {
		return l, err
	}
	if l.Needed, err = e.strings(r, all, elf.DT_NEEDED); err != nil {
		return l, err
	}
	paths, err := e.strings(r, all, elf.DT_RUNPATH)
	if len(paths) == 0 && err == nil {
		paths, err = e.strings(r, all, elf.DT_RPATH)
	}
	for _, p := range paths {
		l.RunPath = append(l.RunPath, strings.Split(p, ":")...)
	}
	return l, err
}

// A dyn is an entry of the dynamic section (Elf64_Dyn of elf(5)).
type dyn struct {
	tag   elf.DynTag
	value uint64
}

// dynamic reads the dynamic section up to its end, DT_NULL. A static program has none.
func (e elfHeaders) dynamic(r io.ReaderAt) (all []dyn, err error) {
	for _, p := range e.progs {
		if p.kind != elf.PT_DYNAMIC {
			continue
		}
		if p.size > maxDynamic || int64(p.off) < 0 {
			return nil, badFormat("the dynamic section of the ELF file is too long")
		}
		b := make([]byte, p.size)
		if n, err := r.ReadAt(b, int64(p.off)); n < len(b) {
			if err == io.EOF {
				err = badFormat("the dynamic section of the ELF file is cut off")
			}
			return nil, err
		}
		return e.entries(b), nil
	}
	return nil, nil
}

// entries takes the dynamic section apart.
func (e elfHeaders) entries(b []byte) (all []dyn) {
	word := 8
	if e.class == elf.ELFCLASS32 {
		word = 4
	}
	for ; len(b) >= 2*word; b = b[2*word:] {
		d := dyn{elf.DynTag(e.word(b)), e.word(b[word:])}
		if d.tag == elf.DT_NULL {
			break
		}
		all = append(all, d)
	}
	return all
}

// strings returns the strings that the entries with a tag point to.
func (e elfHeaders) strings(r io.ReaderAt, all []dyn, tag elf.DynTag) (found []string, err error) {
	for _, d := range all {
		if d.tag != tag {
			continue
		}
		s, err := e.string(r, all, d.value)
		if err != nil {
			return nil, err
		}
		found = append(found, s)
	}
	return found, nil
}

// string reads the string at an offset of the string table (DT_STRTAB, DT_STRSZ).
func (e elfHeaders) string(r io.ReaderAt, all []dyn, at uint64) (string, error) {
	var table, size uint64
	for _, d := range all {
		switch d.tag {
		case elf.DT_STRTAB:
			table = d.value
		case elf.DT_STRSZ:
			size = d.value
		}
	}
	bad := badFormat("the dynamic section of the ELF file points outside of its strings")
	offset, ok := e.offset(table)
	if !ok || at >= size || offset+at < offset || int64(offset+at) < 0 {
		return "", bad
	}
	text := io.NewSectionReader(r, int64(offset+at), int64(min(size-at, maxString)))
	s, err := bufio.NewReader(text).ReadString(0)
	if err == io.EOF {
		return "", bad // it does not end
	}
	return strings.TrimSuffix(s, "\x00"), err
}

// offset returns where in the file lies what is loaded at an address.
func (e elfHeaders) offset(address uint64) (uint64, bool) {
	for _, p := range e.progs {
		if p.kind == elf.PT_LOAD && address >= p.address && address-p.address < p.size {
			return p.off + (address - p.address), true
		}
	}
	return 0, false
}
